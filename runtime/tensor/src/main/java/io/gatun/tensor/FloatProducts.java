package io.gatun.tensor;

import io.gatun.bindings.ggml.GatunKernels;
import io.gatun.bindings.ggml.gatun_gemm_node;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Lowers matrix products with weights of floats to our own kernel. An input with many columns is
 * laid out once for all products that share it.
 */
final class FloatProducts {
  /** Columns from which laying out an input pays: the kernel itself reads fewer as they are. */
  private static final int PACKED_COLUMNS_MIN = 13;

  private final CustomNodes custom;
  private final MemorySegment[] lowered;
  private final Map<Tensor, MemorySegment> packed = new HashMap<>();

  FloatProducts(CustomNodes custom, MemorySegment[] lowered) {
    this.custom = custom;
    this.lowered = lowered;
  }

  /** W [K, M] · x [K, N] → [M, N]. */
  MemorySegment emit(Tensor product) {
    Tensor w = product.operands().get(0);
    Tensor x = product.operands().get(1);
    boolean many = x.shape().d1() >= PACKED_COLUMNS_MIN;
    MemorySegment node = gatun_gemm_node.allocate(custom.arena());
    int form = GatunKernels.GATUN_MUL_MAT() | (many ? GatunKernels.GATUN_B_PACKED() : 0);
    gatun_gemm_node.form(node, form);
    MemorySegment input = many ? packed.computeIfAbsent(x, this::pack) : lowered[x.index()];
    return custom.node(
        DType.F32,
        product.shape(),
        GatunKernels.gatun_gemm$address(),
        node,
        List.of(lowered[w.index()], input));
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
