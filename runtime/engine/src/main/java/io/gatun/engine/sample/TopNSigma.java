package io.gatun.engine.sample;

import java.util.random.RandomGenerator;

/**
 * Rules out candidates whose logits are more than n standard deviations below the best; 0 keeps
 * all.
 *
 * @source arXiv 2411.07641
 */
public record TopNSigma(float n) implements LogitsProcessor {
  public TopNSigma {
    Check.atLeast("top-n-sigma", n, 0f);
  }

  @Override
  public void apply(Logits row, TokenHistory history, RandomGenerator random) {
    if (n == 0f || row.size() < 2) {
      return;
    }
    double sum = 0;
    int finite = 0;
    for (int i = 0; i < row.size(); i++) {
      if (row.value(i) != Float.NEGATIVE_INFINITY) {
        sum += row.value(i);
        finite++;
      }
    }
    double mean = sum / finite;
    double squares = 0;
    for (int i = 0; i < row.size(); i++) {
      if (row.value(i) != Float.NEGATIVE_INFINITY) {
        squares += (row.value(i) - mean) * (row.value(i) - mean);
      }
    }
    float limit = row.max() - n * (float) Math.sqrt(squares / finite);
    for (int i = 0; i < row.size(); i++) {
      if (row.value(i) < limit) {
        row.set(i, Float.NEGATIVE_INFINITY);
      }
    }
  }
}
