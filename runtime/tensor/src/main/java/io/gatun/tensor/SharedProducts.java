package io.gatun.tensor;

import io.gatun.bindings.ggml.GatunKernels;
import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.gatun_dot_product;
import io.gatun.bindings.ggml.ggml_type_traits_cpu;
import io.gatun.tensor.Kernels.Product;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Lowers the matrix products that {@link Kernels} gives to our own kernels. An input is converted
 * once for all products that share it, and those products (q, k and v; gate and up) become one
 * node, whose results are views of it: fewer barriers, and no conversion twice. Products with
 * experts are the same, with ids as a second input.
 */
final class SharedProducts {
  /** GGML nodes per product at most: route, converted input, products, view. */
  static final int TENSORS = 4;

  /** Products that become one node. */
  private record Group(ProductInput input, List<Tensor> members) {}

  private final CustomNodes custom;
  private final MemorySegment[] lowered;
  private final Map<Tensor, Group> groups = new HashMap<>();
  private final Map<ProductInput, Integer> products = new HashMap<>();
  private final ExpertRoutes routes;
  private final ConvertedInputs inputs;

  /**
   * @param lowered the GGML tensors of nodes that were emitted, by {@link Tensor#index()}
   */
  SharedProducts(
      CustomNodes custom,
      MemorySegment[] lowered,
      ExpertRoutes routes,
      ConvertedInputs inputs,
      Graph graph,
      Kernels kernels) {
    this.custom = custom;
    this.lowered = lowered;
    this.routes = routes;
    this.inputs = inputs;
    Map<ProductInput, Group> open = new HashMap<>();
    int phase = 0;
    for (Tensor node : graph.nodes()) {
      phase += node.op() instanceof Op.Backward ? 1 : 0;
      Product kernel = kernels.product(node);
      if (!kernel.shared()) {
        continue;
      }
      ProductInput input = ProductInput.of(node, kernel, phase);
      Group group = open.computeIfAbsent(input, key -> new Group(key, new ArrayList<>()));
      if (input.operandCount() + group.members().size() == CustomNodes.OPERANDS_MAX) {
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
    ProductInput input = group.input();
    List<Tensor> members = group.members();
    List<MemorySegment> operands = new ArrayList<>();
    operands.add(inputs.of(input));
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

  private static MemorySegment function(ProductInput input) {
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
  private MemorySegment data(ProductInput input, List<Tensor> members) {
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
              : ggml_type_traits_cpu.vec_dot(ProductInput.traits(type)));
    }
    return data;
  }

  private MemorySegment at(Tensor node) {
    return lowered[node.index()];
  }

  private static StoredTensor weight(Tensor product) {
    return ((Op.Stored) product.operands().getFirst().op()).tensor();
  }
}
