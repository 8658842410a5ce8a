package io.gatun.tensor;

import static java.lang.foreign.MemorySegment.NULL;

import io.gatun.bindings.ggml.GatunKernels;
import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.GgmlCpu;
import io.gatun.bindings.ggml.gatun_dot_product;
import io.gatun.bindings.ggml.gatun_row_type;
import io.gatun.bindings.ggml.ggml_type_traits_cpu;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Lowers the matrix products that {@link Kernels} gives to our own kernels. An input is converted
 * once for all products that share it, and those products (q, k and v; gate and up) become one
 * node, whose results are views of it: fewer barriers, and no conversion twice.
 */
final class SharedProducts {
  /** GGML nodes per product at most: converted input, products, view. */
  static final int TENSORS = 3;

  /** A custom node has at most nine operands, one of which is the input. */
  private static final int FUSED_MAX = 8;

  /** GGML_N_TASKS_MAX. */
  private static final int ALL_THREADS = -1;

  /**
   * An input in one converted form: {@code format} is the block of {@link Kernels.Product#PANELS},
   * or GGML's number of the type that the dot products of {@link Kernels.Product#ROWS} take.
   */
  private record Input(Tensor x, Kernels.Product kernel, int format) {}

  private final MemorySegment ctx;
  private final Arena arena;
  private final Map<Integer, List<Tensor>> groupOf = new HashMap<>();
  private final Map<Tensor, Kernels.Product> kernelOf = new HashMap<>();
  private final Map<Input, MemorySegment> converted = new HashMap<>();
  private final Map<Input, Integer> products = new HashMap<>();

  /**
   * @param arena lives as long as the GGML graph
   */
  SharedProducts(MemorySegment ctx, Arena arena, Graph graph, Kernels kernels) {
    this.ctx = ctx;
    this.arena = arena;
    Map<Input, List<Tensor>> open = new HashMap<>();
    for (Tensor node : graph.nodes()) {
      Kernels.Product kernel = kernels.product(node);
      if (kernel != Kernels.Product.GGML) {
        kernelOf.put(node, kernel);
        List<Tensor> group = open.computeIfAbsent(input(node), _ -> new ArrayList<>());
        if (group.size() == FUSED_MAX) {
          group = new ArrayList<>();
          open.put(input(node), group);
        }
        group.add(node);
        groupOf.put(node.index(), group);
      }
    }
  }

  /** Whether this node is one of them. */
  boolean has(Tensor node) {
    return groupOf.containsKey(node.index());
  }

  /** Emits the group of a node, filling in the GGML tensors of all its members. */
  void emit(Tensor node, MemorySegment[] lowered) {
    List<Tensor> group = groupOf.get(node.index());
    if (group == null || group.getFirst() != node) {
      return; // emitted with the first of the group
    }
    Input input = input(node);
    MemorySegment[] operands = new MemorySegment[group.size() + 1];
    operands[0] = converted.computeIfAbsent(input, key -> convert(key, lowered[key.x().index()]));
    for (int i = 0; i < group.size(); i++) {
      operands[i + 1] = weight(group.get(i)).handle();
    }
    long columns = node.shape().d1();
    long rows = group.stream().mapToLong(t -> t.shape().d0()).sum();
    boolean alone = group.size() == 1;
    MemorySegment all =
        custom(
            Ggml.GGML_TYPE_F32(),
            alone ? rows : rows * columns,
            alone ? columns : 1,
            function(input),
            data(input, group),
            operands);
    if (alone) {
      lowered[node.index()] = all;
      return;
    }
    long offset = 0;
    for (Tensor member : group) {
      long width = member.shape().d0();
      lowered[member.index()] =
          Ggml.ggml_view_2d(ctx, all, width, columns, Float.BYTES * width, offset);
      offset += Float.BYTES * width * columns;
    }
  }

  private static MemorySegment function(Input input) {
    return input.kernel() == Kernels.Product.PANELS
        ? GatunKernels.gatun_mul_mat$address()
        : GatunKernels.gatun_dot_rows$address();
  }

  /** What the products' function is given: its number among those of the input, and more. */
  private MemorySegment data(Input input, List<Tensor> group) {
    int number = products.merge(input, 1, Integer::sum) - 1;
    if (number >= GatunKernels.GATUN_PRODUCTS()) {
      throw new ShapeException(
          "more than %d products of one input".formatted(GatunKernels.GATUN_PRODUCTS()));
    }
    if (input.kernel() == Kernels.Product.PANELS) {
      return number == 0 ? NULL : MemorySegment.ofAddress(number);
    }
    MemorySegment data = gatun_dot_product.allocate(arena);
    gatun_dot_product.number(data, number);
    for (int i = 0; i < group.size(); i++) {
      MemorySegment dot = ggml_type_traits_cpu.vec_dot(traits(weight(group.get(i)).type().id()));
      gatun_dot_product.dot(data, i, dot);
    }
    return data;
  }

  private MemorySegment convert(Input input, MemorySegment x) {
    long k = input.x().shape().d0();
    long n = input.x().shape().d1();
    if (input.kernel() == Kernels.Product.PANELS) {
      long bytes = GatunKernels.gatun_quantized_bytes(input.format(), k, n);
      MemorySegment block = MemorySegment.ofAddress(input.format());
      return custom(Ggml.GGML_TYPE_I8(), bytes, 1, GatunKernels.gatun_quantize$address(), block, x);
    }
    DType format = DType.ofId(input.format()).orElseThrow();
    MemorySegment type = gatun_row_type.allocate(arena);
    gatun_row_type.from_float(type, ggml_type_traits_cpu.from_float(traits(format.id())));
    gatun_row_type.block(type, format.blockSize());
    gatun_row_type.block_bytes(type, format.blockBytes());
    long bytes = GatunKernels.gatun_converted_bytes(type, k, n);
    return custom(
        Ggml.GGML_TYPE_I8(), bytes, 1, GatunKernels.gatun_convert_rows$address(), type, x);
  }

  private MemorySegment custom(
      int type,
      long width,
      long rows,
      MemorySegment function,
      MemorySegment data,
      MemorySegment... operands) {
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment list = scratch.allocate(ValueLayout.ADDRESS, operands.length);
      for (int i = 0; i < operands.length; i++) {
        list.setAtIndex(ValueLayout.ADDRESS, i, operands[i]);
      }
      return Ggml.ggml_custom_4d(
          ctx, type, width, rows, 1, 1, list, operands.length, function, ALL_THREADS, data);
    }
  }

  private Input input(Tensor product) {
    Kernels.Product kernel = kernelOf.getOrDefault(product, Kernels.Product.GGML);
    DType type = product.operands().get(0).type();
    int format =
        kernel == Kernels.Product.PANELS
            ? Kernels.activationBlock(type)
            : ggml_type_traits_cpu.vec_dot_type(traits(type.id()));
    return new Input(product.operands().get(1), kernel, format);
  }

  private static MemorySegment traits(int type) {
    return GgmlCpu.ggml_get_type_traits_cpu(type).reinterpret(ggml_type_traits_cpu.sizeof());
  }

  private static StoredTensor weight(Tensor product) {
    return ((Op.Stored) product.operands().getFirst().op()).tensor();
  }
}
