package io.gatun.tensor;

import io.gatun.bindings.ggml.GatunKernels;
import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.GgmlCpu;
import io.gatun.bindings.ggml.gatun_dot_product;
import io.gatun.bindings.ggml.gatun_row_type;
import io.gatun.bindings.ggml.ggml_type_traits_cpu;
import io.gatun.tensor.ExpertRoutes.Experts;
import io.gatun.tensor.Kernels.Product;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Lowers the matrix products that {@link Kernels} gives to our own kernels. An input is converted
 * once for all products that share it, and those products (q, k and v; gate and up) become one
 * node, whose results are views of it: fewer barriers, and no conversion twice. Products with
 * experts are the same, with ids as a second input.
 */
final class SharedProducts {
  /** GGML nodes per product at most: route, converted input, products, view. */
  static final int TENSORS = 4;

  /**
   * An input in one converted form: {@code format} is the activations' block for {@link
   * Product#PANELS} and {@link Product#DOTS}, or GGML's number of the type that the dot products of
   * {@link Product#ROWS} take. Products of the backward pass that compute a forward value again are
   * of another phase than those that computed it first: sharing would compute them as early.
   */
  private record Input(Tensor x, Optional<Experts> experts, Product kernel, int format, int phase) {
    int inputs() {
      return experts.isPresent() ? 2 : 1;
    }
  }

  /** Products that become one node. */
  private record Group(Input input, List<Tensor> members) {}

  private final CustomNodes custom;
  private final MemorySegment[] lowered;
  private final Map<Tensor, Group> groups = new HashMap<>();
  private final Map<Input, MemorySegment> converted = new HashMap<>();
  private final Map<Input, Integer> products = new HashMap<>();
  private final ExpertRoutes routes;

  /**
   * @param lowered the GGML tensors of nodes that were emitted, by {@link Tensor#index()}
   */
  SharedProducts(
      CustomNodes custom,
      MemorySegment[] lowered,
      ExpertRoutes routes,
      Graph graph,
      Kernels kernels) {
    this.custom = custom;
    this.lowered = lowered;
    this.routes = routes;
    Map<Input, Group> open = new HashMap<>();
    int phase = 0;
    for (Tensor node : graph.nodes()) {
      phase += node.op() instanceof Op.Backward ? 1 : 0;
      Product kernel = kernels.product(node);
      if (!kernel.shared()) {
        continue;
      }
      Input input = input(node, kernel, phase);
      Group group = open.computeIfAbsent(input, key -> new Group(key, new ArrayList<>()));
      if (input.inputs() + group.members().size() == CustomNodes.OPERANDS_MAX) {
        group = new Group(input, new ArrayList<>());
        open.put(input, group);
      }
      group.members().add(node);
      groups.put(node, group);
    }
  }

  /** Emits the group of a node, filling in all its members; false when it is none of ours. */
  boolean emit(Tensor node) {
    Group group = groups.get(node);
    if (group == null) {
      return false;
    }
    if (group.members().getFirst() == node) {
      emit(group);
    }
    return true;
  }

  private void emit(Group group) {
    Input input = group.input();
    List<Tensor> members = group.members();
    List<MemorySegment> operands = new ArrayList<>();
    operands.add(converted.computeIfAbsent(input, this::convert));
    input
        .experts()
        .ifPresent(experts ->
            operands.add(
                input.kernel() == Product.PANELS ? routes.of(experts) : at(experts.ids())));
    members.forEach(member -> operands.add(weight(member).handle()));

    boolean alone = members.size() == 1;
    long elements = members.stream().mapToLong(t -> t.shape().elements()).sum();
    Shape shape = alone ? members.getFirst().shape() : Shape.of(elements);
    MemorySegment all =
        custom.node(DType.F32, shape, function(input), data(input, members), operands);
    long offset = 0;
    for (Tensor member : members) {
      lowered[member.index()] = alone ? all : view(all, member.layout(), offset);
      offset += member.layout().bytes();
    }
  }

  private MemorySegment view(MemorySegment all, Layout part, long offset) {
    Shape s = part.shape();
    return s.d2() == 1
        ? Ggml.ggml_view_2d(custom.ctx(), all, s.d0(), s.d1(), part.s1(), offset)
        : Ggml.ggml_view_3d(
            custom.ctx(), all, s.d0(), s.d1(), s.d2(), part.s1(), part.s2(), offset);
  }

  private static MemorySegment function(Input input) {
    boolean experts = input.experts().isPresent();
    return switch (input.kernel()) {
      case PANELS ->
          experts
              ? GatunKernels.gatun_mul_mat_experts$address()
              : GatunKernels.gatun_mul_mat$address();
      case ROWS, DOTS ->
          experts
              ? GatunKernels.gatun_dot_experts$address()
              : GatunKernels.gatun_dot_rows$address();
      case GGML, FLOATS -> throw new AssertionError("not a shared product");
    };
  }

  /** What the products' function is given: its number among those of the input, and more. */
  private MemorySegment data(Input input, List<Tensor> members) {
    int number = products.merge(input, 1, Integer::sum) - 1;
    if (number >= GatunKernels.GATUN_PRODUCTS()) {
      throw new ShapeException(
          "more than %d nodes of products share one input"
              .formatted(GatunKernels.GATUN_PRODUCTS()));
    }
    if (input.kernel() == Product.PANELS) {
      return CustomNodes.number(number);
    }
    MemorySegment data = gatun_dot_product.allocate(custom.arena());
    gatun_dot_product.number(data, number);
    gatun_dot_product.rows(data, input.x().shape().rows());
    for (int i = 0; i < members.size(); i++) {
      int type = weight(members.get(i)).type().id();
      gatun_dot_product.dot(
          data,
          i,
          input.kernel() == Product.DOTS
              ? MemorySegment.NULL
              : ggml_type_traits_cpu.vec_dot(traits(type)));
    }
    return data;
  }

  private MemorySegment convert(Input input) {
    MemorySegment x = at(input.x());
    long k = input.x().shape().d0();
    long n = input.x().shape().rows();
    MemorySegment block = CustomNodes.number(input.format());
    if (input.kernel() == Product.DOTS) {
      long bytes = GatunKernels.gatun_quantized_rows_bytes(input.format(), k, n);
      return custom.bytes(bytes, GatunKernels.gatun_quantize_rows$address(), block, x);
    }
    if (input.kernel() == Product.ROWS) {
      DType format = DType.ofId(input.format()).orElseThrow();
      MemorySegment type = gatun_row_type.allocate(custom.arena());
      gatun_row_type.from_float(type, ggml_type_traits_cpu.from_float(traits(format.id())));
      gatun_row_type.block(type, format.blockSize());
      gatun_row_type.block_bytes(type, format.blockBytes());
      long bytes = GatunKernels.gatun_converted_bytes(type, k, n);
      return custom.bytes(bytes, GatunKernels.gatun_convert_rows$address(), type, x);
    }
    if (input.experts().isEmpty()) {
      long bytes = GatunKernels.gatun_quantized_bytes(input.format(), k, n);
      return custom.bytes(bytes, GatunKernels.gatun_quantize$address(), block, x);
    }
    Experts experts = input.experts().get();
    long bytes =
        GatunKernels.gatun_quantized_experts_bytes(
            input.format(), k, experts.count(), experts.pairs());
    MemorySegment function = GatunKernels.gatun_quantize_experts$address();
    return custom.bytes(bytes, function, block, x, routes.of(experts), at(experts.ids()));
  }

  private MemorySegment at(Tensor node) {
    return lowered[node.index()];
  }

  private static Input input(Tensor product, Product kernel, int phase) {
    List<Tensor> operands = product.operands();
    DType type = operands.getFirst().type();
    int format =
        switch (kernel) {
          case PANELS -> Kernels.activationBlock(type);
          case DOTS -> Kernels.rowDotsBlock(type);
          default -> ggml_type_traits_cpu.vec_dot_type(traits(type.id()));
        };
    Optional<Experts> experts =
        product.op() instanceof Op.MatMulId ? Optional.of(Experts.of(product)) : Optional.empty();
    return new Input(operands.get(1), experts, kernel, format, phase);
  }

  private static MemorySegment traits(int type) {
    return GgmlCpu.ggml_get_type_traits_cpu(type).reinterpret(ggml_type_traits_cpu.sizeof());
  }

  private static StoredTensor weight(Tensor product) {
    return ((Op.Stored) product.operands().getFirst().op()).tensor();
  }
}
