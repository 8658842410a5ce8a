package io.gatun.server.models;

import io.gatun.Gatun;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.embed.EmbedderOptions;
import io.gatun.model.LoadOptions;
import io.gatun.model.MemoryPlan;
import io.gatun.model.Model;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.GgufMetadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Models of GGUF files, as something that can be loaded. */
public final class ModelFiles {
  /** {@code pooling_type} of models that rank, as llama.cpp numbers it. */
  private static final long RANK = 4;

  private ModelFiles() {}

  /**
   * A file's model. Its header is read now, so that a broken file shows at once.
   *
   * @param name by which it is served
   * @param adapters files of adapters by the names that requests give; only for models that
   *     generate text
   * @throws io.gatun.model.ModelFormatException when the file is broken
   * @throws io.gatun.model.UnsupportedModelException when it cannot be run
   */
  public static ModelSource source(
      String name,
      Path file,
      LoadOptions loading,
      EngineOptions running,
      Map<String, Path> adapters)
      throws IOException {
    GgufFile gguf = GgufFile.open(file);
    ModelKind kind = kind(gguf.metadata());
    if (!adapters.isEmpty() && kind != ModelKind.TEXT) {
      throw new IllegalArgumentException(
          "model %s %s; adapters are for models that generate text".formatted(name, kind.does()));
    }
    long created = Files.getLastModifiedTime(gguf.parts().getFirst()).toMillis() / 1000;
    long bytes = bytes(gguf, loading.withKernels(running.kernels()), running, kind);
    return new ModelSource(
        name,
        kind,
        bytes,
        created,
        new ModelAdapters(adapters),
        loading(kind, file, loading, running));
  }

  private static ModelSource.Loading loading(
      ModelKind kind, Path file, LoadOptions loading, EngineOptions running) {
    EmbedderOptions embedding =
        EmbedderOptions.defaults()
            .withThreads(running.threads())
            .withBatchRows(running.batchRows())
            .withTruncate(false);
    return switch (kind) {
      case TEXT -> () -> Gatun.load(file, loading, running);
      case EMBEDDING -> () -> Gatun.loadEmbedding(file, loading, embedding);
      case RANKING -> () -> Gatun.loadReranker(file, loading, embedding);
    };
  }

  private static ModelKind kind(GgufMetadata metadata) {
    String architecture = metadata.text("general.architecture").orElse("");
    long pooling = metadata.integer(architecture + ".pooling_type").orElse(0L);
    if (pooling == RANK) {
      return ModelKind.RANKING;
    }
    return pooling == 0 ? ModelKind.TEXT : ModelKind.EMBEDDING;
  }

  /** Weights, and the KV cache of models that have one: no less than they take. */
  private static long bytes(
      GgufFile gguf, LoadOptions loading, EngineOptions running, ModelKind kind) {
    MemoryPlan plan = Model.plan(gguf, loading);
    long weights = plan.mapped() + plan.privateCopies() + plan.rearranged();
    if (kind != ModelKind.TEXT) {
      return weights;
    }
    String architecture = gguf.metadata().text("general.architecture").orElse("");
    long own = gguf.metadata().integer(architecture + ".context_length").orElse(0L);
    long cells =
        running.contextTokens() > 0
            ? running.contextTokens()
            : Math.clamp(own, 1, EngineOptions.CONTEXT_DEFAULT_MAX);
    return weights + cells * plan.kvPerToken();
  }
}
