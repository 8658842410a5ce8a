package io.gatun;

import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.embed.Embedder;
import io.gatun.engine.embed.EmbedderOptions;
import io.gatun.model.GraphSource;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.model.Pooling;
import io.gatun.model.UnsupportedModelException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.function.Function;

/** Loads models. */
public final class Gatun {
  private Gatun() {}

  /**
   * Loads a GGUF file, any part of a split one included, with default options.
   *
   * @throws io.gatun.model.ModelFormatException when the file is missing or broken
   * @throws io.gatun.model.UnsupportedModelException when neither Gatun nor libllama has a graph
   *     for it
   * @throws io.gatun.tensor.CapacityException when it does not fit into memory
   * @throws io.gatun.bindings.NativeLoadException when there are no native libraries for this
   *     system
   */
  public static LanguageModel load(Path file) {
    return load(file, LoadOptions.defaults(), EngineOptions.defaults());
  }

  /**
   * {@link #load(Path)} with options; weights are placed for the kernels that {@code running}
   * names. A file that Gatun has no graph for is computed by libllama, unless {@code loading} says
   * not to.
   */
  public static LanguageModel load(Path file, LoadOptions loading, EngineOptions running) {
    return withFallback(loading, options -> open(file, options, running));
  }

  private static LanguageModel open(Path file, LoadOptions loading, EngineOptions running) {
    try (Model model =
        Model.load(
            file,
            loading.withKernels(running.kernels()),
            (h, plan) ->
                plan.withKvTypes(h, running.kvTypes())
                    .require(file.toString(), Engine.kvSize(h, running), running.batchRows()))) {
      return new LanguageModel(Engine.open(model, running));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /** Details of a file that no graph of Gatun's has show only when the graph is built. */
  private static <T> T withFallback(LoadOptions loading, Function<LoadOptions, T> load) {
    try {
      return load.apply(loading);
    } catch (UnsupportedModelException e) {
      if (loading.graphs() != GraphSource.AUTO) {
        throw e;
      }
      try {
        return load.apply(loading.withGraphs(GraphSource.LIBLLAMA));
      } catch (UnsupportedModelException neither) {
        e.addSuppressed(neither);
        throw e;
      }
    }
  }

  /**
   * Loads a model that makes vectors of texts: an encoder, or a decoder made for it.
   *
   * @throws io.gatun.model.UnsupportedModelException when the file says not how rows become a
   *     vector
   */
  public static EmbeddingModel loadEmbedding(Path file) {
    return loadEmbedding(file, LoadOptions.defaults(), EmbedderOptions.defaults());
  }

  /** {@link #loadEmbedding(Path)} with options. */
  public static EmbeddingModel loadEmbedding(
      Path file, LoadOptions loading, EmbedderOptions running) {
    return withFallback(loading, l -> new EmbeddingModel(embedder(file, l, running)));
  }

  /**
   * Loads a model that scores pairs of query and document.
   *
   * @throws io.gatun.model.UnsupportedModelException when the file has no classifier
   */
  public static Reranker loadReranker(Path file) {
    return loadReranker(file, LoadOptions.defaults(), EmbedderOptions.defaults());
  }

  /** {@link #loadReranker(Path)} with options. */
  public static Reranker loadReranker(Path file, LoadOptions loading, EmbedderOptions running) {
    EmbedderOptions ranking = running.withPooling(Pooling.RANK);
    return withFallback(loading, l -> new Reranker(embedder(file, l, ranking)));
  }

  private static Embedder embedder(Path file, LoadOptions loading, EmbedderOptions running) {
    try (Model model = Model.load(file, loading.withKernels(running.kernels()))) {
      return Embedder.open(model, running);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }
}
