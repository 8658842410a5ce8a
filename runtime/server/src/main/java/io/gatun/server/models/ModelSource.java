package io.gatun.server.models;

import java.io.IOException;
import java.util.Map;

/**
 * A model that can be loaded.
 *
 * @param name by which requests name it
 * @param bytes the memory it takes while it is loaded
 * @param created when its file was made, in seconds since 1970
 * @param adapters that requests may ask for; brought into the model whenever it is loaded
 * @param loading loads it, without its adapters: a {@link io.gatun.LanguageModel}, {@link
 *     io.gatun.EmbeddingModel} or {@link io.gatun.Reranker}, by its kind
 */
public record ModelSource(
    String name,
    ModelKind kind,
    long bytes,
    long created,
    ModelAdapters adapters,
    Loading loading) {
  /** A model without adapters. */
  public ModelSource(String name, ModelKind kind, long bytes, long created, Loading loading) {
    this(name, kind, bytes, created, new ModelAdapters(Map.of()), loading);
  }

  /** How a model is loaded. */
  @FunctionalInterface
  public interface Loading {
    AutoCloseable load() throws IOException;
  }

  public ModelSource {
    if (name.isBlank() || name.length() > 200) {
      throw new IllegalArgumentException("a model's name must have 1 to 200 characters");
    }
    if (bytes < 0) {
      throw new IllegalArgumentException("a model takes %d bytes".formatted(bytes));
    }
  }
}
