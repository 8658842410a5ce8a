package io.gatun.model;

/**
 * Whose graphs compute a file, and why.
 *
 * @param source {@link GraphSource#OWN} or {@link GraphSource#LIBLLAMA}
 * @param reason for people, without a full stop
 */
public record GraphChoice(GraphSource source, String reason) {
  public GraphChoice {
    if (source == GraphSource.AUTO) {
      throw new IllegalArgumentException("a choice is OWN or LIBLLAMA");
    }
  }

  /** {@code libllama: Gatun has no graph for mamba}. */
  @Override
  public String toString() {
    return (source == GraphSource.OWN ? "Gatun's graphs: " : "libllama: ") + reason;
  }
}
