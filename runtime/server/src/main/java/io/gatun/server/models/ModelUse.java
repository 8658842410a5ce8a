package io.gatun.server.models;

import io.gatun.EmbeddingModel;
import io.gatun.LanguageModel;
import io.gatun.Reranker;

/** A loaded model that stays so until this is closed. For one thread. */
public final class ModelUse implements AutoCloseable {
  private final String name;
  private final AutoCloseable model;
  private final Runnable release;
  private boolean open = true;

  ModelUse(String name, AutoCloseable model, Runnable release) {
    this.name = name;
    this.model = model;
    this.release = release;
  }

  /** The name by which it is served. */
  public String name() {
    return name;
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
