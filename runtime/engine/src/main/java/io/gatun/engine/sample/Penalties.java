package io.gatun.engine.sample;

import java.util.HashMap;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * Makes tokens that were used lately less probable.
 *
 * @param lastN how many tokens back count, −1 for all, 0 for none
 * @param repeat divides positive and multiplies negative logits, 1 for none (arXiv 1909.05858)
 * @param frequency subtracted per earlier use
 * @param presence subtracted once
 */
public record Penalties(int lastN, float repeat, float frequency, float presence)
    implements LogitsProcessor {
  public Penalties {
    Check.atLeast("penalty last-n", lastN, -1f);
    if (!(repeat > 0f) || Float.isInfinite(repeat)) {
      throw new IllegalArgumentException("repeat penalty must be above 0, got " + repeat);
    }
  }

  @Override
  public void apply(Logits row, TokenHistory history, RandomGenerator random) {
    if (lastN == 0 || (repeat == 1f && frequency == 0f && presence == 0f)) {
      return;
    }
    int window = lastN < 0 ? history.size() : Math.min(lastN, history.size());
    Map<Integer, Integer> uses = new HashMap<>();
    for (int i = 0; i < window; i++) {
      uses.merge(history.fromEnd(i), 1, Integer::sum);
    }
    uses.forEach((token, count) -> {
      int i = row.indexOf(token);
      if (i >= 0) {
        float value = row.value(i);
        value = value <= 0 ? value * repeat : value / repeat;
        row.set(i, value - count * frequency - presence);
      }
    });
  }
}
