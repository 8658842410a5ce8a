package io.gatun.tensor;

import io.gatun.bindings.ggml.Ggml;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Makes nodes that one of our own kernels computes: GGML calls the C function on all its threads.
 *
 * @param ctx the GGML context of the graph
 * @param arena lives as long as the graph, for what kernels are given besides tensors
 */
record CustomNodes(MemorySegment ctx, Arena arena) {
  /** A custom node has at most nine operands. */
  static final int OPERANDS_MAX = 9;

  /** GGML_N_TASKS_MAX. */
  private static final int ALL_THREADS = -1;

  /** A node with a dense result. */
  MemorySegment node(
      DType type,
      Shape s,
      MemorySegment function,
      MemorySegment data,
      List<MemorySegment> operands) {
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment list = scratch.allocate(ValueLayout.ADDRESS, operands.size());
      for (int i = 0; i < operands.size(); i++) {
        list.setAtIndex(ValueLayout.ADDRESS, i, operands.get(i));
      }
      return Ggml.ggml_custom_4d(
          ctx,
          type.id(),
          s.d0(),
          s.d1(),
          s.d2(),
          s.d3(),
          list,
          operands.size(),
          function,
          ALL_THREADS,
          data);
    }
  }

  /** A node that changes a tensor in place and gives it. */
  MemorySegment inPlace(
      MemorySegment tensor,
      MemorySegment function,
      MemorySegment data,
      List<MemorySegment> operands) {
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment list = scratch.allocate(ValueLayout.ADDRESS, Math.max(1, operands.size()));
      for (int i = 0; i < operands.size(); i++) {
        list.setAtIndex(ValueLayout.ADDRESS, i, operands.get(i));
      }
      return Ggml.ggml_custom_inplace(
          ctx, tensor, list, operands.size(), function, ALL_THREADS, data);
    }
  }

  /** A node whose result is bytes of a kernel's own format. */
  MemorySegment bytes(
      long count, MemorySegment function, MemorySegment data, List<MemorySegment> operands) {
    return node(DType.I8, Shape.of(count), function, data, operands);
  }

  /** A small number in place of a pointer. */
  static MemorySegment number(long value) {
    return value == 0 ? MemorySegment.NULL : MemorySegment.ofAddress(value);
  }
}
