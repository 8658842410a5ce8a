package io.gatun;

import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** Loads models. */
public final class Gatun {
  private Gatun() {}

  /**
   * Loads a GGUF file, any part of a split one included, with default options.
   *
   * @throws io.gatun.model.ModelFormatException when the file is missing or broken
   * @throws io.gatun.model.UnsupportedModelException when Gatun has no graph for it
   * @throws io.gatun.tensor.CapacityException when it does not fit into memory
   * @throws io.gatun.bindings.NativeLoadException when there are no native libraries for this
   *     system
   */
  public static LanguageModel load(Path file) {
    return load(file, LoadOptions.defaults(), EngineOptions.defaults());
  }

  /**
   * {@link #load(Path)} with options; weights are placed for the kernels that {@code running}
   * names.
   */
  public static LanguageModel load(Path file, LoadOptions loading, EngineOptions running) {
    try (Model model =
        Model.load(
            file,
            loading.withKernels(running.kernels()),
            (h, plan) ->
                plan.require(file.toString(), Engine.cellsOf(h, running), running.batchRows()))) {
      return new LanguageModel(Engine.open(model, running));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }
}
