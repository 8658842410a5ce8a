package io.gatun.engine.sample;

import java.util.random.RandomGenerator;

/**
 * Keeps the smallest set of best candidates whose probabilities sum to at least p; 1 keeps all.
 *
 * @source arXiv 1904.09751
 */
public record TopP(float p) implements LogitsProcessor {
  /** A nucleus is mostly small, so this many are sorted first. */
  private static final int FIRST = 64;

  public TopP {
    Check.within("top-p", p, 0f, 1f);
  }

  @Override
  public void apply(Logits row, TokenHistory history, RandomGenerator random) {
    if (p >= 1f) {
      return;
    }
    double wanted = p * row.mass();
    float max = row.max();
    double sum = 0;
    int looked = 0;
    for (int n = FIRST; looked < row.size(); n *= 8) {
      row.sort(n);
      for (int end = Math.min(n, row.size()); looked < end; looked++) {
        sum += Math.exp(row.value(looked) - max);
        if (sum >= wanted) {
          row.keepFirst(looked + 1);
          return;
        }
      }
    }
  }
}
