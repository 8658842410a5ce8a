package io.gatun.engine.embed;

import io.gatun.model.AttentionWindow;
import java.util.Arrays;
import java.util.List;

/**
 * Texts side by side as the rows of one graph: their tokens, positions and masks. Rows behind the
 * last text fill the graph up; they see themselves alone, and nobody sees them.
 *
 * @param texts tokens of each
 * @param rows T, at least as many as all texts have
 */
record TextBatch(List<int[]> texts, int rows) {
  private static final short HIDDEN = (short) 0xfc00; // −∞ as F16

  int[] tokens() {
    int[] tokens = new int[rows];
    int at = 0;
    for (int[] text : texts) {
      System.arraycopy(text, 0, tokens, at, text.length);
      at += text.length;
    }
    return tokens;
  }

  int[] positions() {
    int[] positions = new int[rows];
    int at = 0;
    for (int[] text : texts) {
      for (int i = 0; i < text.length; i++) {
        positions[at++] = i;
      }
    }
    return positions;
  }

  /** The first or the last row of each text; further ones, up to a count, are row 0. */
  int[] standing(boolean first, int count) {
    int[] standing = new int[count];
    int at = 0;
    for (int i = 0; i < texts.size(); i++) {
      int length = texts.get(i).length;
      standing[i] = first ? at : at + length - 1;
      at += length;
    }
    return standing;
  }

  /** [T, count]: 1/length for the rows of each text. */
  float[] shares(int count) {
    float[] shares = new float[rows * count];
    int at = 0;
    for (int i = 0; i < texts.size(); i++) {
      int length = texts.get(i).length;
      Arrays.fill(shares, i * rows + at, i * rows + at + length, 1f / length);
      at += length;
    }
    return shares;
  }

  /**
   * Which rows see which: [T, T] as F16.
   *
   * @param causal whether rows see only those before them
   * @param window how far rows see, 0 for all the way; to both sides together unless causal
   * @param distances whether what is seen holds how far away it is, with a minus
   */
  short[] mask(boolean causal, AttentionWindow window, boolean distances) {
    short[] mask = new short[rows * rows];
    Arrays.fill(mask, HIDDEN);
    int at = 0;
    for (int[] text : texts) {
      for (int row = 0; row < text.length; row++) {
        int from = (at + row) * rows + at;
        for (int other = 0; other < text.length; other++) {
          if (sees(row, other, causal, window)) {
            mask[from + other] = distances ? Float.floatToFloat16(-Math.abs(row - other)) : 0;
          }
        }
      }
      at += text.length;
    }
    for (int row = at; row < rows; row++) {
      mask[row * rows + row] = 0;
    }
    return mask;
  }

  private static boolean sees(int row, int other, boolean causal, AttentionWindow window) {
    if (causal) {
      return other <= row && other >= window.first(row);
    }
    return window.length() == 0 || Math.abs(row - other) <= window.length() / 2;
  }
}
