package io.gatun.engine.sample;

import java.util.HashMap;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * "Don't repeat yourself": a token that would continue a repetition of earlier text loses {@code
 * multiplier · base^(length − allowedLength)}.
 *
 * @param multiplier 0 for none
 * @param base at least 1
 * @param allowedLength repetitions shorter than this are free
 * @param lastN how many tokens back count, −1 for all
 * @param breakers runs of tokens that no repetition may contain, such as a line break
 * @source the method of text-generation-webui's pull request 5677, as in llama.cpp v0.4.0
 */
public record Dry(float multiplier, float base, int allowedLength, int lastN, Breakers breakers)
    implements LogitsProcessor {
  public Dry {
    Check.atLeast("dry multiplier", multiplier, 0f);
    Check.atLeast("dry base", base, 1f);
    Check.atLeast("dry allowed length", allowedLength, 0f);
    Check.atLeast("dry last-n", lastN, -1f);
  }

  @Override
  public void apply(Logits row, TokenHistory history, RandomGenerator random) {
    int window = lastN < 0 ? history.size() : Math.min(lastN, history.size());
    if (multiplier == 0f || window <= allowedLength) {
      return;
    }
    int longest = lengthToBreaker(history, window);
    if (longest < allowedLength) {
      return;
    }
    repetitions(history, window, longest)
        .forEach((token, length) -> {
          int i = row.indexOf(token);
          if (i >= 0 && length >= allowedLength && !breakers.single(token)) {
            double penalty = multiplier * Math.pow(base, length - allowedLength);
            row.set(i, row.value(i) - (float) Math.min(penalty, Float.MAX_VALUE / 2));
          }
        });
  }

  /** How many tokens lie after the last breaker. */
  private int lengthToBreaker(TokenHistory history, int window) {
    for (int i = 0; i < window; i++) {
      int length = breakers.lengthAt(history, i);
      if (length > 0) {
        return i - length + 1;
      }
    }
    return window;
  }

  /**
   * For each token that would continue a repetition, the longest one. The Z-function of the
   * reversed text gives at k how much of the text's end is also found ending k tokens earlier.
   */
  private static Map<Integer, Integer> repetitions(TokenHistory history, int window, int longest) {
    int[] z = new int[window];
    Map<Integer, Integer> lengths = new HashMap<>();
    int left = 0;
    int right = 0; // [left, right) is the match that reaches farthest
    for (int k = 1; k < window; k++) {
      int n = k < right ? Math.min(z[k - left], right - k) : 0;
      while (n + k < window && history.fromEnd(n) == history.fromEnd(n + k)) {
        n++;
      }
      z[k] = n;
      if (n > 0 && k + n > right) {
        left = k;
        right = k + n;
      }
      if (n > 0) {
        lengths.merge(history.fromEnd(k - 1), Math.min(n, longest), Math::max);
      }
    }
    return lengths;
  }
}
