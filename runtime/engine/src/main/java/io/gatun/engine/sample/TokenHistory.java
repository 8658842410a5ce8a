package io.gatun.engine.sample;

import java.util.Arrays;

/** The tokens of one sequence so far, prompt and completion. Not thread-safe. */
public final class TokenHistory {
  private int[] tokens;
  private int size;

  public TokenHistory(int... prompt) {
    tokens = Arrays.copyOf(prompt, Math.max(16, prompt.length));
    size = prompt.length;
  }

  public int size() {
    return size;
  }

  /** The i-th token from the end; 0 is the last one. */
  public int fromEnd(int i) {
    return tokens[size - 1 - i];
  }

  public void append(int token) {
    if (size == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * size);
    }
    tokens[size++] = token;
  }
}
