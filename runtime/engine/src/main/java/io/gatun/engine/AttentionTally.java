package io.gatun.engine;

import java.util.Arrays;
import java.util.BitSet;

/**
 * How much attention each row of a sequence has got so far.
 *
 * @owner the engine's thread
 */
final class AttentionTally {
  private float[] weights = new float[256];

  void add(int row, float weight) {
    if (row >= weights.length) {
      weights = Arrays.copyOf(weights, Math.max(row + 1, 2 * weights.length));
    }
    weights[row] += weight;
  }

  /** Later rows move to the places of those that are forgotten. */
  void forget(BitSet rows) {
    int kept = 0;
    for (int row = 0; row < weights.length; row++) {
      if (!rows.get(row)) {
        weights[kept++] = weights[row];
      }
    }
    Arrays.fill(weights, kept, weights.length, 0);
  }

  /** A copy of the rows of [from, to). */
  float[] of(int from, int to) {
    float[] copy = new float[to - from];
    for (int row = from; row < Math.min(to, weights.length); row++) {
      copy[row - from] = weights[row];
    }
    return copy;
  }
}
