package io.gatun.engine.sample;

import java.util.random.RandomGenerator;

/**
 * Divides logits by a temperature: below 1 sharper, above 1 flatter, 0 greedy. With a range, the
 * temperature follows the entropy of the candidates: {@code value ± range}.
 *
 * @param value the temperature
 * @param range how far it may move, 0 for none
 * @param exponent shape of the movement
 * @source arXiv 1503.02531 section 2; arXiv 2309.02772 for the entropy-based form
 */
public record Temperature(float value, float range, float exponent) implements LogitsProcessor {
  public Temperature {
    Check.atLeast("temperature", value, 0f);
    Check.atLeast("temperature range", range, 0f);
    Check.atLeast("temperature exponent", exponent, 0f);
  }

  public Temperature(float value) {
    this(value, 0f, 1f);
  }

  @Override
  public void apply(Logits row, TokenHistory history, RandomGenerator random) {
    divide(row, range > 0f && row.size() > 1 ? moved(row) : value);
  }

  private float moved(Logits row) {
    float max = row.max();
    double mass = row.mass();
    double entropy = 0;
    for (int i = 0; i < row.size(); i++) {
      double p = Math.exp(row.value(i) - max) / mass;
      entropy -= p > 0 ? p * Math.log(p) : 0;
    }
    double normalised = entropy / Math.log(row.size());
    float low = Math.max(0f, value - range);
    float high = value + range;
    return (float) (low + (high - low) * Math.pow(normalised, exponent));
  }

  private static void divide(Logits row, float temperature) {
    if (temperature > 0f) {
      row.scale(1f / temperature);
      return;
    }
    int best = row.argMax();
    for (int i = 0; i < row.size(); i++) {
      if (i != best) {
        row.set(i, Float.NEGATIVE_INFINITY);
      }
    }
  }
}
