package io.gatun.tensor;

import io.gatun.bindings.ggml.GgmlCpu;
import io.gatun.bindings.ggml.ggml_type_traits_cpu;
import io.gatun.tensor.ExpertRoutes.Experts;
import io.gatun.tensor.Kernels.Product;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * An input in the converted form that products read; those with equal ones share it.
 *
 * @param format the activations' block for {@link Product#PANELS} and {@link Product#DOTS}, or
 *     GGML's number of the type that the dot products of {@link Product#ROWS} take
 * @param phase counts nodes of the backward pass before it: products of the backward pass that
 *     compute a forward value again shall not share the input of those that computed it first, as
 *     that would compute them as early
 */
record ProductInput(Tensor x, Optional<Experts> experts, Product kernel, int format, int phase) {

  /** The input of a product that a kernel of ours computes. */
  static ProductInput of(Tensor product, Product kernel, int phase) {
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
    return new ProductInput(operands.get(1), experts, kernel, format, phase);
  }

  /** How many operands of a product are not weights. */
  int operandCount() {
    return experts.isPresent() ? 2 : 1;
  }

  /** How GGML's CPU backend computes with a type. */
  static MemorySegment traits(int type) {
    return GgmlCpu.ggml_get_type_traits_cpu(type).reinterpret(ggml_type_traits_cpu.sizeof());
  }
}
