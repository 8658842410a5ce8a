package io.gatun.tensor;

import io.gatun.bindings.ggml.GatunKernels;
import io.gatun.bindings.ggml.gatun_gemm_node;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Lowers matrix products with weights of floats to our own kernels. An input with many columns is
 * laid out once for all products that share it; products with experts read it where it is.
 */
final class FloatProducts {
  /** Columns from which laying out an input pays: the kernel itself reads fewer as they are. */
  private static final int PACKED_COLUMNS_MIN = 13;

  private final CustomNodes custom;
  private final MemorySegment[] lowered;
  private final ExpertRoutes routes;
  private final boolean bfloats;
  private final Map<Tensor, MemorySegment> packed = new HashMap<>();

  FloatProducts(CustomNodes custom, MemorySegment[] lowered, ExpertRoutes routes, boolean bfloats) {
    this.custom = custom;
    this.lowered = lowered;
    this.routes = routes;
    this.bfloats = bfloats;
  }

  /** W [K, M] · x [K, N] → [M, N], or W [K, M, X] · x [K, U or 1, T] → [M, U, T]. */
  MemorySegment emit(Tensor product) {
    return product.op() instanceof Op.MatMulId ? experts(product) : matrices(product);
  }

  private MemorySegment experts(Tensor product) {
    Tensor w = product.operands().get(0);
    Tensor x = product.operands().get(1);
    MemorySegment route = routes.of(ExpertRoutes.Experts.of(product));
    return custom.node(
        DType.F32,
        product.shape(),
        GatunKernels.gatun_gemm_experts$address(),
        data(GatunKernels.GATUN_MUL_MAT(), rounds(w)),
        List.of(lowered[w.index()], lowered[x.index()], route));
  }

  private MemorySegment matrices(Tensor product) {
    Tensor w = product.operands().get(0);
    Tensor x = product.operands().get(1);
    boolean rounds = rounds(w); // which products do as they read, so that nothing is laid out
    boolean many = x.shape().d1() >= PACKED_COLUMNS_MIN && !rounds;
    int form = GatunKernels.GATUN_MUL_MAT() | (many ? GatunKernels.GATUN_B_PACKED() : 0);
    MemorySegment input = many ? packed.computeIfAbsent(x, this::pack) : lowered[x.index()];
    return custom.node(
        DType.F32,
        product.shape(),
        GatunKernels.gatun_gemm$address(),
        data(form, rounds),
        List.of(lowered[w.index()], input));
  }

  /**
   * Whether operands are rounded to BF16: in training when asked, and with weights that are BF16
   * where it is faster, as GGML rounds their inputs too.
   */
  private boolean rounds(Tensor weights) {
    return bfloats || (weights.type() == DType.BF16 && Kernels.fastBfloats());
  }

  private MemorySegment data(int form, boolean rounds) {
    MemorySegment node = gatun_gemm_node.allocate(custom.arena());
    gatun_gemm_node.form(node, rounds ? form | GatunKernels.GATUN_BFLOATS() : form);
    return node;
  }

  /** Lets go of inputs that were laid out, so that a later product does not keep them in memory. */
  void forget() {
    packed.clear();
  }

  private MemorySegment pack(Tensor x) {
    Shape s = x.shape();
    Shape laidOut =
        Shape.of(GatunKernels.gatun_packed_row(s.d0()), GatunKernels.gatun_packed_rows(s.d1()));
    return custom.node(
        DType.F32,
        laidOut,
        GatunKernels.gatun_pack_columns$address(),
        CustomNodes.number(GatunKernels.GATUN_B_INNER_SUM()),
        List.of(lowered[x.index()]));
  }
}
