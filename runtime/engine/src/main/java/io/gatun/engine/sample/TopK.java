package io.gatun.engine.sample;

import java.util.random.RandomGenerator;

/**
 * Keeps the k best candidates; 0 keeps all.
 *
 * @source arXiv 1805.04833
 */
public record TopK(int k) implements LogitsProcessor {
  public TopK {
    Check.atLeast("top-k", k, 0f);
  }

  @Override
  public void apply(Logits row, TokenHistory history, RandomGenerator random) {
    if (k > 0) {
      row.sort(k);
      row.keepFirst(k);
    }
  }
}
