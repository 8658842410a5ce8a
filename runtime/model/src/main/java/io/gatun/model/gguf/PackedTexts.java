package io.gatun.model.gguf;

import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.RandomAccess;

/**
 * Strings in one array, as in the file: a vocabulary has hundreds of thousands, of which few are
 * ever looked at. Each look makes a new string; invalid UTF-8 becomes replacement characters.
 * Immutable; thread-safe.
 */
final class PackedTexts extends AbstractList<String> implements RandomAccess {
  private final byte[] bytes;
  private final int[] starts;

  /**
   * @param bytes the strings' bytes, one after another; owned by this list
   * @param starts where each begins, and where the last one ends; owned by this list
   */
  PackedTexts(byte[] bytes, int[] starts) {
    this.bytes = bytes;
    this.starts = starts;
  }

  @Override
  public String get(int index) {
    int start = starts[index];
    return new String(bytes, start, starts[index + 1] - start, StandardCharsets.UTF_8);
  }

  @Override
  public int size() {
    return starts.length - 1;
  }

  /** As in the file, so that copying changes nothing. */
  byte[] raw(int index) {
    return Arrays.copyOfRange(bytes, starts[index], starts[index + 1]);
  }
}
