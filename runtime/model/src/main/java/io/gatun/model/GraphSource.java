package io.gatun.model;

/** Whose graphs compute a model. */
public enum GraphSource {
  /** Gatun's, where it has one for the file, otherwise libllama's. */
  AUTO,
  /** Gatun's; files that it has none for are refused. */
  OWN,
  /**
   * libllama's: for every architecture that it knows, without what needs a graph of Gatun's: soft
   * prompts, cached prefixes, saved sequences, training.
   */
  LIBLLAMA;

  /**
   * One by its name.
   *
   * @throws IllegalArgumentException when there is none
   */
  public static GraphSource parse(String name) {
    for (GraphSource source : values()) {
      if (source.name().equalsIgnoreCase(name)) {
        return source;
      }
    }
    throw new IllegalArgumentException(
        "graphs \"%s\" are none of auto, own, libllama".formatted(name));
  }
}
