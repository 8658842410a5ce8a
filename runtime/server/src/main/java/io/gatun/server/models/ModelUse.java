package io.gatun.server.models;

import io.gatun.EmbeddingModel;
import io.gatun.LanguageModel;
import io.gatun.Reranker;

/** A loaded model that stays so until this is closed. For one thread. */
public final class ModelUse implements AutoCloseable {
  private final ModelSource source;
  private final AutoCloseable model;
  private final Runnable release;
  private boolean open = true;

  ModelUse(ModelSource source, AutoCloseable model, Runnable release) {
    this.source = source;
    this.model = model;
    this.release = release;
  }

  /** The name by which it is served. */
  public String name() {
    return source.name();
  }

  /** The adapters that it has whenever it is loaded. */
  public ModelAdapters adapters() {
    return source.adapters();
  }

  /** The model, where it is of {@link ModelKind#TEXT}. */
  public LanguageModel text() {
    return (LanguageModel) model;
  }

  /** The model, where it is of {@link ModelKind#EMBEDDING}. */
  public EmbeddingModel embedding() {
    return (EmbeddingModel) model;
  }

  /** The model, where it is of {@link ModelKind#RANKING}. */
  public Reranker ranking() {
    return (Reranker) model;
  }

  @Override
  public void close() {
    if (open) {
      open = false;
      release.run();
    }
  }
}
