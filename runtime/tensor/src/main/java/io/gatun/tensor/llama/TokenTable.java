package io.gatun.tensor.llama;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;

/**
 * What libllama knows of every single token, read once: so asking for a token costs no native call,
 * and can neither fail there nor meet a model that is being closed. A value; thread-safe.
 */
public final class TokenTable {
  /** A vocabulary without tokens. */
  static final TokenTable EMPTY =
      new TokenTable(new byte[0], new int[] {0}, new BitSet(), new BitSet(), new BitSet());

  private final byte[] written;
  private final int[] starts;
  private final BitSet silent;
  private final BitSet control;
  private final BitSet ending;

  /**
   * @param written how the tokens are written, one after another
   * @param starts where each begins, and where the last one ends; owned by this table
   * @param silent tokens that are written by their name but stand for no text
   * @param control tokens that steer the model
   * @param ending tokens at which generation ends
   */
  TokenTable(byte[] written, int[] starts, BitSet silent, BitSet control, BitSet ending) {
    this.written = written;
    this.starts = starts;
    this.silent = silent;
    this.control = control;
    this.ending = ending;
  }

  /** How many tokens there are. */
  public int size() {
    return starts.length - 1;
  }

  /** The bytes that a token stands for; none for special ones. */
  public byte[] bytes(int token) {
    require(token);
    return silent.get(token) ? new byte[0] : slice(token);
  }

  /** How a token is written, special ones by their name. */
  public String show(int token) {
    require(token);
    return new String(slice(token), StandardCharsets.UTF_8);
  }

  /** Whether a token steers the model instead of standing for text. */
  public boolean control(int token) {
    require(token);
    return control.get(token);
  }

  /** Whether generation ends at a token. */
  public boolean endsGeneration(int token) {
    require(token);
    return ending.get(token);
  }

  private byte[] slice(int token) {
    return Arrays.copyOfRange(written, starts[token], starts[token + 1]);
  }

  private void require(int token) {
    if (token < 0 || token >= size()) {
      throw new IllegalArgumentException("token %d is outside 0..%d".formatted(token, size() - 1));
    }
  }
}
