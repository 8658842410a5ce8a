package io.gatun.model;

/**
 * By how much queries of some layers grow with their position, so that attention stays sharp in
 * long texts: 1 + scale · ln(1 + ⌊(position + offset) / length⌋).
 *
 * @param length of texts that change nothing
 * @source llama.cpp v0.4.0, src/llama-graph.cpp (the same types of numbers, for equal bits); arXiv
 *     2501.19399 for the idea
 */
public record Temperature(int length, float scale, float offset) {
  public Temperature {
    if (length < 1) {
      throw new IllegalArgumentException("a temperature's length is " + length);
    }
  }

  /** The factor of a position. */
  public float at(int position) {
    double passed = Math.floor((position + offset) / length);
    return (float) (Math.log(passed + 1) * scale + 1);
  }

  /** The factors of positions. */
  public float[] at(int[] positions) {
    float[] factors = new float[positions.length];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = at(positions[i]);
    }
    return factors;
  }
}
