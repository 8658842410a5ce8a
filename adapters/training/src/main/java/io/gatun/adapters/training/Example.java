package io.gatun.adapters.training;

import java.util.Arrays;

/**
 * A piece of text to learn from.
 *
 * @param tokens ids, at least two
 * @param learned for each token, whether predicting it counts: not for what a user says, nor for
 *     the first token, which nothing precedes
 */
public record Example(int[] tokens, boolean[] learned) {
  public Example {
    if (tokens.length < 2 || tokens.length != learned.length) {
      throw new IllegalArgumentException(
          "an example has at least two tokens and a mark for each: %d tokens, %d marks"
              .formatted(tokens.length, learned.length));
    }
  }

  /** All of it is to be learned. */
  public static Example text(int... tokens) {
    boolean[] learned = new boolean[tokens.length];
    Arrays.fill(learned, true);
    return new Example(tokens, learned);
  }

  /** Only the completion is to be learned. */
  public static Example completion(int[] prompt, int[] completion) {
    int[] tokens = Arrays.copyOf(prompt, prompt.length + completion.length);
    System.arraycopy(completion, 0, tokens, prompt.length, completion.length);
    boolean[] learned = new boolean[tokens.length];
    Arrays.fill(learned, prompt.length, tokens.length, true);
    return new Example(tokens, learned);
  }

  int length() {
    return tokens.length;
  }

  /** Tokens from…to; the first one of a later piece is context only. */
  Example part(int from, int to) {
    return new Example(Arrays.copyOfRange(tokens, from, to), Arrays.copyOfRange(learned, from, to));
  }
}
