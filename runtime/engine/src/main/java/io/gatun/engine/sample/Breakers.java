package io.gatun.engine.sample;

import io.gatun.model.Vocabulary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs of tokens that no repetition may contain, for {@link Dry}.
 *
 * @param byFirst the runs by their first token
 */
public record Breakers(Map<Integer, List<List<Integer>>> byFirst) {
  /** Longer runs would never match what a model writes. */
  private static final int TOKENS_MAX = 20;

  public Breakers {
    byFirst = Map.copyOf(byFirst);
  }

  public static Breakers none() {
    return new Breakers(Map.of());
  }

  /** Given runs; empty ones do not count. */
  public static Breakers of(List<List<Integer>> runs) {
    Map<Integer, List<List<Integer>>> byFirst = new HashMap<>();
    for (List<Integer> run : runs) {
      if (!run.isEmpty() && run.size() <= TOKENS_MAX) {
        byFirst.computeIfAbsent(run.getFirst(), _ -> new ArrayList<>()).add(List.copyOf(run));
      }
    }
    return new Breakers(byFirst);
  }

  /** Each text as it is tokenized, and every single token that contains it. */
  public static Breakers of(List<String> texts, Vocabulary vocabulary) {
    List<List<Integer>> runs = new ArrayList<>();
    for (String text : texts) {
      runs.add(Arrays.stream(vocabulary.encode(text, false, false)).boxed().toList());
    }
    for (int token = 0; token < vocabulary.size(); token++) {
      String written = vocabulary.decode(token);
      if (texts.stream().anyMatch(written::contains)) {
        runs.add(List.of(token));
      }
    }
    return of(runs);
  }

  /** Whether a token is a whole run. */
  boolean single(int token) {
    return byFirst.getOrDefault(token, List.of()).stream().anyMatch(run -> run.size() == 1);
  }

  /**
   * How long a run is that begins so far from the end of a text and ends within it: the longest
   * one, 0 for none.
   */
  int lengthAt(TokenHistory history, int fromEnd) {
    int longest = 0;
    for (List<Integer> run : byFirst.getOrDefault(history.fromEnd(fromEnd), List.of())) {
      if (run.size() > longest && run.size() <= fromEnd + 1 && matches(history, fromEnd, run)) {
        longest = run.size();
      }
    }
    return longest;
  }

  private static boolean matches(TokenHistory history, int fromEnd, List<Integer> run) {
    for (int k = 0; k < run.size(); k++) {
      if (history.fromEnd(fromEnd - k) != run.get(k)) {
        return false;
      }
    }
    return true;
  }
}
