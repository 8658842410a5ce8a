package io.gatun.tensor;

import io.gatun.bindings.NativeLibraries;
import io.gatun.bindings.ggml.GatunKernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Selects the best of many scores in C, in one pass: the k largest, best first, equal ones by
 * ascending index, NaN never. Holds its own buffers, so a selection allocates nothing.
 *
 * @owner one thread
 */
public final class Selection implements AutoCloseable {
  private final Arena arena = Arena.ofConfined();
  private final int capacity;
  private final MemorySegment indices;
  private final MemorySegment values;
  private final MemorySegment scratch;
  private MemorySegment scores;

  /**
   * @param capacity the largest k
   */
  public Selection(int capacity) {
    var _ = NativeLibraries.load();
    this.capacity = capacity;
    indices = arena.allocate(ValueLayout.JAVA_INT, capacity);
    values = arena.allocate(ValueLayout.JAVA_FLOAT, capacity);
    scratch = arena.allocate(ValueLayout.JAVA_LONG, capacity);
    scores = arena.allocate(ValueLayout.JAVA_FLOAT, 1);
  }

  /** Selects and returns how many there are. */
  public int topK(float[] from, int k) {
    if (scores.byteSize() < 4L * from.length) {
      scores = arena.allocate(ValueLayout.JAVA_FLOAT, from.length);
    }
    MemorySegment.copy(from, 0, scores, ValueLayout.JAVA_FLOAT, 0, from.length);
    return topK(scores, from.length, k);
  }

  int topK(MemorySegment from, int count, int k) {
    if (k < 1 || k > capacity) {
      throw new IllegalArgumentException("k must be 1..%d, got %d".formatted(capacity, k));
    }
    return GatunKernels.gatun_top_k(from, count, k, indices, values, scratch);
  }

  /** Index of the i-th best. */
  public int index(int i) {
    return indices.getAtIndex(ValueLayout.JAVA_INT, i);
  }

  /** Score of the i-th best. */
  public float value(int i) {
    return values.getAtIndex(ValueLayout.JAVA_FLOAT, i);
  }

  @Override
  public void close() {
    arena.close();
  }
}
