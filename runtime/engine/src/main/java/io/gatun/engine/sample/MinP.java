package io.gatun.engine.sample;

import java.util.random.RandomGenerator;

/**
 * Keeps candidates at least p times as probable as the best one; 0 keeps all, 1 and more only the
 * best.
 *
 * @source arXiv 2407.01082
 */
public record MinP(float p) implements LogitsProcessor {
  public MinP {
    Check.atLeast("min-p", p, 0f);
  }

  @Override
  public void apply(Logits row, TokenHistory history, RandomGenerator random) {
    if (p > 0f) {
      row.keepFrom(row.max() + (float) Math.log(p));
    }
  }
}
