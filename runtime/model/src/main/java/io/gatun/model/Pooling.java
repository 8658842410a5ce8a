package io.gatun.model;

import java.util.Optional;

/**
 * How the rows of a text become one vector.
 *
 * @source {@code pooling_type} of GGUF files; llama.cpp v0.4.0, src/llama-graph.cpp
 */
public enum Pooling {
  /** The average of all rows. */
  MEAN(1),
  /** The first row. */
  CLS(2),
  /** The last row. */
  LAST(3),
  /** Scores of a classifier: for rerankers, how well a document answers a query. */
  RANK(4);

  private final int id;

  Pooling(int id) {
    this.id = id;
  }

  /** Its number in files. */
  public int id() {
    return id;
  }

  /** What a file asks for; none for models that only generate. */
  static Optional<Pooling> of(Hyperparams h) {
    int wanted = h.keys().integer("pooling_type", 0);
    for (Pooling pooling : values()) {
      if (pooling.id == wanted) {
        return Optional.of(pooling);
      }
    }
    if (wanted != 0) {
      throw new UnsupportedModelException(
          "%s: %s.pooling_type is %d, expected 0 to 4"
              .formatted(h.metadata().file(), h.architecture(), wanted));
    }
    return Optional.empty();
  }
}
