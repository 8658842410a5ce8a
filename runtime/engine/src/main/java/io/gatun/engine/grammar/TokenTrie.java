package io.gatun.engine.grammar;

import java.util.Arrays;
import java.util.List;

/**
 * The texts of a vocabulary's tokens as a tree of bytes in one array, in depth-first order: a walk
 * reads it from left to right and jumps over what cannot be. Immutable, thread-safe.
 */
public final class TokenTrie {
  private static final int INDEX_BITS = 23;
  private static final int KEY_BYTES = 5;

  private final int tokens;
  private final byte[][] texts;

  /** The byte that leads to a node. */
  private final byte[] bytes;

  /** How many bytes a node's text has. */
  private final short[] depths;

  /** The node behind a node's last descendant. */
  private final int[] ends;

  /** Where a node's tokens begin in {@link #ids}; the next node's begin behind them. */
  private final int[] first;

  private final int[] ids;

  /** Tokens that end a completion. */
  private final List<Integer> ending;

  /**
   * @param texts the bytes of each token; empty ones are never a part of any text
   * @param ending tokens that end a completion, which have empty texts here
   */
  public TokenTrie(List<byte[]> texts, List<Integer> ending) {
    this.tokens = texts.size();
    this.texts = texts.toArray(new byte[0][]);
    this.ending = List.copyOf(ending);
    Builder builder = new Builder();
    for (int token : inOrder(this.texts)) {
      builder.add(token, this.texts[token]);
    }
    builder.finish();
    this.bytes = builder.bytes();
    this.depths = builder.depths();
    this.ends = builder.ends.toArray();
    this.first = builder.first.toArray();
    this.ids = builder.ids.toArray();
  }

  /**
   * Tokens in the order of their texts: sorted as numbers by their first five bytes, which is ten
   * times as fast, and then the few that share them.
   */
  private static int[] inOrder(byte[][] texts) {
    if (texts.length >= 1 << INDEX_BITS) {
      throw new IllegalArgumentException("too many tokens: " + texts.length);
    }
    long[] keys = new long[texts.length];
    for (int token = 0; token < keys.length; token++) {
      keys[token] = beginning(texts[token]) << INDEX_BITS | token;
    }
    Arrays.sort(keys);
    int[] order = new int[keys.length];
    for (int from = 0, to; from < keys.length; from = to) {
      to = from + 1;
      while (to < keys.length && keys[to] >>> INDEX_BITS == keys[from] >>> INDEX_BITS) {
        to++;
      }
      Integer[] alike = new Integer[to - from];
      for (int i = 0; i < alike.length; i++) {
        alike[i] = (int) (keys[from + i] & (1 << INDEX_BITS) - 1);
      }
      Arrays.sort(alike, (a, b) -> Arrays.compareUnsigned(texts[a], texts[b]));
      for (int i = 0; i < alike.length; i++) {
        order[from + i] = alike[i];
      }
    }
    return order;
  }

  private static long beginning(byte[] text) {
    long key = 0;
    for (int i = 0; i < KEY_BYTES; i++) {
      key = key << 8 | (i < text.length ? text[i] & 0xff : 0);
    }
    return key;
  }

  int tokens() {
    return tokens;
  }

  int nodes() {
    return bytes.length;
  }

  int unsignedByte(int node) {
    return bytes[node] & 0xff;
  }

  int depth(int node) {
    return depths[node];
  }

  int end(int node) {
    return ends[node];
  }

  /** The place in the list of tokens where a node's begin; the last node's end at the next. */
  int firstToken(int node) {
    return first[node];
  }

  int token(int place) {
    return ids[place];
  }

  byte[] text(int token) {
    return token < tokens ? texts[token] : new byte[0];
  }

  List<Integer> ending() {
    return ending;
  }

  /** The only token of a text, the first of several; −1 when there is none. */
  int tokenOf(byte[] text) {
    for (int token = 0; token < tokens; token++) {
      if (Arrays.equals(texts[token], text)) {
        return token;
      }
    }
    return -1;
  }

  /** The token that covers most of a text from a place on; −1 when none begins it. */
  int longest(byte[] text, int from) {
    int best = -1;
    int node = 0;
    int end = nodes();
    for (int depth = 0; from + depth < text.length && node < end; depth++) {
      while (node < end && bytes[node] != text[from + depth]) {
        node = ends[node];
      }
      if (node == end) {
        break;
      }
      best = first[node + 1] > first[node] ? ids[first[node]] : best;
      end = ends[node];
      node++;
    }
    return best;
  }

  /** Collects nodes in the order of sorted texts. */
  private static final class Builder {
    private final Ints open = new Ints();
    private final Ints nodeBytes = new Ints();
    private final Ints nodeDepths = new Ints();
    private final Ints ends = new Ints();
    private final Ints first = new Ints();
    private final Ints ids = new Ints();
    private byte[] last = {};

    void add(int token, byte[] text) {
      if (text.length == 0 || text.length > Short.MAX_VALUE) {
        return;
      }
      int mismatch = Arrays.mismatch(last, text);
      int common = mismatch < 0 ? text.length : mismatch;
      close(common);
      for (int i = common; i < text.length; i++) {
        open.add(nodeBytes.size);
        nodeBytes.add(text[i]);
        nodeDepths.add(i + 1);
        ends.add(0);
        first.add(ids.size);
      }
      ids.add(token);
      last = text;
    }

    private void close(int depth) {
      while (open.size > depth) {
        ends.values[open.values[--open.size]] = nodeBytes.size;
      }
    }

    void finish() {
      close(0);
      first.add(ids.size);
    }

    byte[] bytes() {
      byte[] all = new byte[nodeBytes.size];
      for (int i = 0; i < all.length; i++) {
        all[i] = (byte) nodeBytes.values[i];
      }
      return all;
    }

    short[] depths() {
      short[] all = new short[nodeDepths.size];
      for (int i = 0; i < all.length; i++) {
        all[i] = (short) nodeDepths.values[i];
      }
      return all;
    }
  }

  /** Numbers in a row. */
  private static final class Ints {
    private int[] values = new int[1024];
    private int size;

    void add(int value) {
      if (size == values.length) {
        values = Arrays.copyOf(values, 2 * size);
      }
      values[size++] = value;
    }

    int[] toArray() {
      return Arrays.copyOf(values, size);
    }
  }
}
