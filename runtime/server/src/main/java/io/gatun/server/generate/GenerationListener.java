package io.gatun.server.generate;

/** Sees how texts are generated, for those who measure. Thread-safe; it must be quick. */
public interface GenerationListener {
  /** Sees nothing. */
  GenerationListener NONE = new GenerationListener() {};

  /** A text's first token came, so long after it was asked for. */
  default void firstToken(String model, long nanos) {}

  /** More tokens came, each so long after the one before. */
  default void moreTokens(String model, int count, long nanosEach) {}

  /** A request's texts are complete. */
  default void finished(String model, Choices.Totals totals) {}
}
