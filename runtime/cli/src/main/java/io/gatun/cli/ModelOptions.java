package io.gatun.cli;

import io.gatun.Gatun;
import io.gatun.LanguageModel;
import io.gatun.engine.EngineOptions;
import io.gatun.model.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Which model, and how it is loaded and run. */
final class ModelOptions {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "MODEL",
      description =
          "A GGUF file, or a model that is fetched once: hf.co/OWNER/REPO[:QUANTIZATION] or"
              + " https://….")
  @Nullable String named;

  private @Nullable Path file;

  @Mixin RunningOptions options = new RunningOptions();

  /** Takes the model that comes with Gatun when none was named; whether it did. */
  boolean useShipped() throws IOException {
    if (named != null) {
      return false;
    }
    file = ShippedModel.file();
    return true;
  }

  /** The model's file, fetched first if it must be. */
  Path file() {
    if (file == null) {
      file = named == null ? Path.of("") : Models.file(named);
    }
    return file;
  }

  LoadOptions loading() {
    return options.loading();
  }

  EngineOptions running() {
    return options.running();
  }

  LanguageModel load() {
    return Gatun.load(file(), loading(), running());
  }
}
