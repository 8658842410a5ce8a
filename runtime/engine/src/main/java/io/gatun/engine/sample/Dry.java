package io.gatun.engine.sample;

import io.gatun.model.Vocabulary;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * "Don't repeat yourself": a token that would continue a repetition of earlier text loses {@code
 * multiplier · base^(length − allowedLength)}.
 *
 * @param multiplier 0 for none
 * @param base at least 1
 * @param allowedLength repetitions shorter than this are free
 * @param lastN how many tokens back count, −1 for all
 * @param breakers token runs that no repetition may contain, such as a line break
 * @source the method of text-generation-webui's pull request 5677, as in llama.cpp v0.4.0
 */
public record Dry(
    float multiplier, float base, int allowedLength, int lastN, List<List<Integer>> breakers)
    implements LogitsProcessor {
  /** Longer breakers would never match what a model writes. */
  private static final int BREAKER_TOKENS_MAX = 20;

  public Dry {
    Check.atLeast("dry multiplier", multiplier, 0f);
    Check.atLeast("dry base", base, 1f);
    Check.atLeast("dry allowed length", allowedLength, 0f);
    Check.atLeast("dry last-n", lastN, -1f);
    breakers = breakers.stream().map(List::copyOf).toList();
  }

  /**
   * The token runs of breaker texts: each text as it is tokenized, and every single token that
   * contains it, such as a line break after a comma.
   */
  public static List<List<Integer>> breakersOf(List<String> texts, Vocabulary vocabulary) {
    Set<List<Integer>> runs = new LinkedHashSet<>();
    for (String text : texts) {
      List<Integer> run = Arrays.stream(vocabulary.encode(text, false, false)).boxed().toList();
      if (!run.isEmpty() && run.size() <= BREAKER_TOKENS_MAX) {
        runs.add(run);
      }
    }
    for (int token = 0; token < vocabulary.size(); token++) {
      String written = vocabulary.decode(token);
      if (texts.stream().anyMatch(written::contains)) {
        runs.add(List.of(token));
      }
    }
    return List.copyOf(runs);
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
        .forEach(
            (token, length) -> {
              int i = row.indexOf(token);
              if (i >= 0 && length >= allowedLength) {
                double penalty = multiplier * Math.pow(base, length - allowedLength);
                row.set(i, row.value(i) - (float) Math.min(penalty, Float.MAX_VALUE / 2));
              }
            });
  }

  /** How many tokens lie after the last breaker. */
  private int lengthToBreaker(TokenHistory history, int window) {
    for (int i = 0; i < window; i++) {
      int longest = -1;
      for (List<Integer> breaker : breakers) {
        int tail = breaker.size() - 1;
        if (tail > longest && tail <= i && beginsAt(history, i, breaker)) {
          longest = tail;
        }
      }
      if (longest >= 0) {
        return i - longest;
      }
    }
    return window;
  }

  private static boolean beginsAt(TokenHistory history, int fromEnd, List<Integer> breaker) {
    for (int k = 0; k < breaker.size(); k++) {
      if (history.fromEnd(fromEnd - k) != breaker.get(k)) {
        return false;
      }
    }
    return true;
  }

  /**
   * For each token that would continue a repetition, the longest one. The Z-function of the reversed
   * text gives at k how much of the text's end is also found ending k tokens earlier.
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
