package io.gatun.tensor;

import io.gatun.bindings.ggml.GatunKernels;
import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.gatun_attention_params;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Lowers attention to our own kernel, whose result lies in front of the memory its threads need.
 */
record OwnAttention(CustomNodes custom, int threads) {

  MemorySegment emit(Op.Attention op, List<Tensor> operands, MemorySegment[] lowered) {
    Shape q = operands.get(0).shape(); // [D, T, H]
    Shape k = operands.get(1).shape(); // [D, S, G]
    Shape v = operands.get(2).shape();
    long floats =
        GatunKernels.gatun_attention_floats(
            q.d0(), v.d0(), q.d1(), q.d2(), k.d2(), k.d1(), threads);
    MemorySegment params = gatun_attention_params.allocate(custom.arena());
    gatun_attention_params.scale(params, op.scale());
    gatun_attention_params.softcap(params, op.softcap());
    List<MemorySegment> tensors = new ArrayList<>();
    operands.forEach(operand -> tensors.add(lowered[operand.index()]));
    MemorySegment all =
        custom.node(
            DType.F32, Shape.of(floats), GatunKernels.gatun_attention$address(), params, tensors);
    long row = Float.BYTES * v.d0();
    return Ggml.ggml_view_3d(custom.ctx(), all, v.d0(), q.d2(), q.d1(), row, row * q.d2(), 0);
  }
}
