package io.gatun.server.models;

/** What a model is for. */
public enum ModelKind {
  TEXT("generates text"),
  EMBEDDING("makes vectors of texts"),
  RANKING("ranks documents");

  private final String does;

  ModelKind(String does) {
    this.does = does;
  }

  /** What it does, after "the model". */
  public String does() {
    return does;
  }
}
