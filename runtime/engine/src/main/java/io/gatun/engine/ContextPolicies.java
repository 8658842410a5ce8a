package io.gatun.engine;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** The policies that have names, and what they share. */
final class ContextPolicies {
  /** Each makes a policy of the numbers behind its name. */
  private static final Map<String, Function<int[], ContextPolicy>> BY_NAME =
      new TreeMap<>(
          Map.of(
              "stop", _ -> new StopWhenFull(),
              "shift", ContextShift::read,
              "sinks", AttentionSinks::read,
              "heavy", HeavyHitters::read));

  private ContextPolicies() {}

  static ContextPolicy named(String text) {
    String[] parts = text.split(":", 2);
    Function<int[], ContextPolicy> policy = BY_NAME.get(parts[0]);
    if (policy == null) {
      throw new IllegalArgumentException(
          "no context policy is called '%s'; there are %s"
              .formatted(parts[0], String.join(", ", BY_NAME.keySet())));
    }
    return policy.apply(parts.length < 2 ? new int[0] : numbers(text, parts[1]));
  }

  private static int[] numbers(String text, String listed) {
    try {
      return Arrays.stream(listed.split(",", -1)).mapToInt(Integer::parseInt).toArray();
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "a context policy is a name, or a name with numbers like sinks:4,1020; got '%s'"
              .formatted(text),
          e);
    }
  }

  static int at(int[] numbers, int index, int otherwise) {
    return index < numbers.length ? numbers[index] : otherwise;
  }

  static void require(String name, int value, int low) {
    if (value < low) {
      throw new IllegalArgumentException(
          "%s must be at least %d, got %d".formatted(name, low, value));
    }
  }

  /** So many tokens behind the first ones; the last token always stays. */
  static BitSet behind(int first, int count, int tokens) {
    BitSet gone = new BitSet();
    int to = (int) Math.min((long) first + count, tokens - 1L);
    if (to > first) {
      gone.set(first, to);
    }
    return gone;
  }
}
