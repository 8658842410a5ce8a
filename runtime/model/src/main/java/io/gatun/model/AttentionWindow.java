package io.gatun.model;

/**
 * What layers with a window see of the tokens before.
 *
 * @param length how many tokens at most; 0 for all
 * @param chunked whether texts are cut into chunks of this length, and each token sees its own
 *     chunk alone, instead of the last tokens
 */
public record AttentionWindow(int length, boolean chunked) {
  /** Sees everything. */
  public static final AttentionWindow NONE = new AttentionWindow(0, false);

  /** The first position that a token at a position sees. */
  public int first(int position) {
    if (length == 0) {
      return 0;
    }
    return chunked ? position - position % length : Math.max(0, position - length + 1);
  }
}
