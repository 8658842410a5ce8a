package io.gatun.engine.sample;

/** How one of the remaining candidates is chosen. */
public sealed interface Choice {
  /** The best one. */
  record Greedy() implements Choice {}

  /** At random, by their probabilities. */
  record Draw() implements Choice {}

  /**
   * At random from those whose surprise stays below a moving bound, so that the text's average
   * surprise approaches {@code tau} bits.
   *
   * @param tau wanted surprise
   * @param eta how fast the bound moves
   * @source arXiv 2007.14966, version 2 of the method
   */
  record Mirostat(float tau, float eta) implements Choice {
    public Mirostat {
      Check.atLeast("mirostat tau", tau, 0f);
      Check.atLeast("mirostat eta", eta, 0f);
    }
  }
}
