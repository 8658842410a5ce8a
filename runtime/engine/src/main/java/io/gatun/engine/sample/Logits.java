package io.gatun.engine.sample;

import io.gatun.tensor.Selection;
import java.util.Arrays;

/**
 * The candidates for one next token: ids with their logits. Starts with the whole vocabulary in the
 * order of ids; processors change logits and drop candidates. Sorting is lazy: only as many of the
 * best are sorted as somebody looks at, selected in C in one pass.
 *
 * <p>Reused for every token, so nothing is allocated per step. Not thread-safe.
 */
public final class Logits implements AutoCloseable {
  /** Up to this many are selected in C; a longer sorted part is sorted in Java. */
  private static final int SELECTED_MAX = 1024;

  private final Selection selection = new Selection(SELECTED_MAX);
  private int[] ids = {};
  private float[] values = {};
  private int[] spareIds = {};
  private float[] spareValues = {};
  private boolean[] taken = {};
  private int size;
  private int sorted;

  /** Whether candidate i is still the token i. */
  private boolean whole;

  /** Starts with a row of the model's output. */
  public Logits reset(float[] row, int count) {
    if (count < 1) {
      throw new IllegalArgumentException("a row needs at least one logit");
    }
    if (ids.length < count) {
      ids = new int[count];
      values = new float[count];
      spareIds = new int[count];
      spareValues = new float[count];
      taken = new boolean[count];
    }
    System.arraycopy(row, 0, values, 0, count);
    for (int i = 0; i < count; i++) {
      ids[i] = i;
    }
    size = count;
    sorted = 0;
    whole = true;
    return this;
  }

  /**
   * Keeps only some tokens of a row that was not changed yet.
   *
   * @param allowed one bit for each token; there may be fewer bits than logits
   */
  public void keepAllowed(long[] allowed) {
    if (!whole) {
      throw new IllegalStateException("candidates were dropped before");
    }
    int kept = 0;
    for (int word = 0; word < allowed.length; word++) {
      for (long bits = allowed[word]; bits != 0; bits &= bits - 1) {
        int token = word * Long.SIZE + Long.numberOfTrailingZeros(bits);
        if (token < size) {
          ids[kept] = token;
          values[kept++] = values[token];
        }
      }
    }
    if (kept == 0) {
      throw new IllegalStateException(
          "the grammar allows none of the model's tokens here; its vocabulary cannot write this");
    }
    whole &= kept == size;
    size = kept;
    sorted = 0;
  }

  /** How many candidates there are. */
  public int size() {
    return size;
  }

  /** The token of candidate i. */
  public int id(int i) {
    return ids[i];
  }

  /** The logit of candidate i. */
  public float value(int i) {
    return values[i];
  }

  /** Changes the logit of candidate i. */
  public void set(int i, float value) {
    values[i] = value;
    sorted = 0;
  }

  /** Multiplies all logits with a positive factor. */
  public void scale(float factor) {
    for (int i = 0; i < size; i++) {
      values[i] *= factor;
    }
  }

  /** The place of a token among the candidates, or −1. */
  public int indexOf(int token) {
    if (whole) {
      return token >= 0 && token < size ? token : -1;
    }
    for (int i = 0; i < size; i++) {
      if (ids[i] == token) {
        return i;
      }
    }
    return -1;
  }

  /** The largest logit. */
  public float max() {
    if (sorted > 0) {
      return values[0];
    }
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < size; i++) {
      max = Math.max(max, values[i]);
    }
    return max;
  }

  /** The place of the largest logit, the first of equal ones. */
  public int argMax() {
    int best = 0;
    for (int i = 1; i < size && sorted == 0; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }

  /** Σ exp(logit − max): divides exp(logit − max) into probabilities. */
  public double mass() {
    float max = max();
    double sum = 0;
    for (int i = 0; i < size; i++) {
      sum += Math.exp(values[i] - max);
    }
    return sum;
  }

  /** Brings the best n candidates to the front, best first, equal ones by id. */
  public void sort(int n) {
    int wanted = Math.min(n, size);
    if (wanted <= sorted) {
      return;
    }
    if (wanted <= SELECTED_MAX && wanted < size) {
      select(wanted);
    } else {
      sortAll();
    }
    whole = false;
  }

  /** Keeps the first n candidates, at least one. */
  public void keepFirst(int n) {
    int kept = Math.clamp(n, 1, size);
    whole &= kept == size;
    size = kept;
    sorted = Math.min(sorted, kept);
  }

  /** Drops the first n candidates, but never all. */
  public void dropFirst(int n) {
    int dropped = Math.min(n, size - 1);
    if (dropped <= 0) {
      return;
    }
    System.arraycopy(ids, dropped, ids, 0, size - dropped);
    System.arraycopy(values, dropped, values, 0, size - dropped);
    size -= dropped;
    sorted = Math.max(0, sorted - dropped);
    whole = false;
  }

  /** Keeps candidates with at least this logit, in their order, and at least the best one. */
  public void keepFrom(float threshold) {
    float limit = Math.min(threshold, max());
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (values[i] >= limit) {
        ids[kept] = ids[i];
        values[kept++] = values[i];
      }
    }
    if (kept < size) {
      size = kept;
      sorted = Math.min(sorted, kept);
      whole = false;
    }
  }

  /** Keeps given places, in the given order. */
  public void keep(int[] places, int count) {
    for (int i = 0; i < count; i++) {
      spareIds[i] = ids[places[i]];
      spareValues[i] = values[places[i]];
    }
    swap();
    size = count;
    sorted = 0;
    whole = false;
  }

  @Override
  public void close() {
    selection.close();
  }

  private void select(int n) {
    float[] candidates = values.length == size ? values : Arrays.copyOf(values, size);
    int found = selection.topK(candidates, n);
    Arrays.fill(taken, 0, size, false);
    for (int i = 0; i < found; i++) {
      int place = selection.index(i);
      taken[place] = true;
      spareIds[i] = ids[place];
      spareValues[i] = values[place];
    }
    int next = found;
    for (int i = 0; i < size; i++) {
      if (!taken[i]) {
        spareIds[next] = ids[i];
        spareValues[next++] = values[i];
      }
    }
    swap();
    sorted = found;
  }

  private void sortAll() {
    long[] keys = new long[size];
    for (int i = 0; i < size; i++) {
      keys[i] = ((long) ~ordered(values[i]) << 32) | i;
    }
    Arrays.sort(keys);
    for (int i = 0; i < size; i++) {
      int place = (int) keys[i];
      spareIds[i] = ids[place];
      spareValues[i] = values[place];
    }
    swap();
    sorted = size;
  }

  /** An int in the order of floats. */
  private static int ordered(float value) {
    int bits = Float.floatToRawIntBits(value);
    return bits ^ ((bits >> 31) & 0x7fffffff);
  }

  private void swap() {
    int[] oldIds = ids;
    ids = spareIds;
    spareIds = oldIds;
    float[] oldValues = values;
    values = spareValues;
    spareValues = oldValues;
  }
}
