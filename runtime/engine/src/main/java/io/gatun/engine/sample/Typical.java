package io.gatun.engine.sample;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * Locally typical sampling: keeps the candidates whose surprise is nearest to the entropy until
 * their probabilities sum to more than p; 1 keeps all.
 *
 * @source arXiv 2202.00666
 */
public record Typical(float p) implements LogitsProcessor {
  public Typical {
    Check.within("typical", p, 0f, 1f);
  }

  @Override
  public void apply(Logits row, TokenHistory history, RandomGenerator random) {
    if (p >= 1f) {
      return;
    }
    double[] surprise = surprises(row);
    double entropy = 0;
    for (double s : surprise) {
      entropy += Double.isInfinite(s) ? 0 : s * Math.exp(-s);
    }
    long[] order = new long[surprise.length];
    for (int i = 0; i < order.length; i++) {
      float distance = (float) Math.abs(surprise[i] - entropy);
      order[i] = ((long) Float.floatToRawIntBits(distance) << 32) | i;
    }
    Arrays.sort(order);
    int[] kept = new int[order.length];
    int count = 0;
    double sum = 0;
    while (count < order.length && sum <= p) {
      kept[count] = (int) order[count];
      sum += Math.exp(-surprise[kept[count]]);
      count++;
    }
    row.keep(kept, count);
  }

  /** −ln of each candidate's probability. */
  private static double[] surprises(Logits row) {
    double[] surprises = new double[row.size()];
    double logMass = row.max() + Math.log(row.mass());
    for (int i = 0; i < surprises.length; i++) {
      surprises[i] = logMass - row.value(i);
    }
    return surprises;
  }
}
