package io.gatun.tensor;

import io.gatun.bindings.ggml.GatunKernels;
import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.gatun_input;
import io.gatun.bindings.ggml.gatun_row_type;
import io.gatun.bindings.ggml.ggml_type_traits_cpu;
import io.gatun.tensor.ExpertRoutes.Experts;
import io.gatun.tensor.FusedInputs.Gated;
import io.gatun.tensor.FusedInputs.Normed;
import io.gatun.tensor.FusedInputs.OfSum;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Converts the inputs of our own products, each once for all products that share it, and computes
 * on the way those that {@link FusedInputs} found.
 */
final class ConvertedInputs {
  private final CustomNodes custom;
  private final MemorySegment[] lowered;
  private final ExpertRoutes routes;
  private final FusedInputs fused;
  private final Map<ProductInput, MemorySegment> converted = new HashMap<>();

  /**
   * @param lowered the GGML tensors of nodes that were emitted, by {@link Tensor#index()}
   */
  ConvertedInputs(
      CustomNodes custom, MemorySegment[] lowered, ExpertRoutes routes, FusedInputs fused) {
    this.custom = custom;
    this.lowered = lowered;
    this.routes = routes;
    this.fused = fused;
  }

  /** The bytes that products read. */
  MemorySegment of(ProductInput input) {
    return converted.computeIfAbsent(input, this::convert);
  }

  /** Whether a node is computed here: emits it if it is a sum, nothing if it is absorbed. */
  boolean emit(Tensor node) {
    OfSum input = fused.sums().get(node.index());
    if (input != null) {
      sum(node, input.input(), input.norm());
    }
    return input != null || fused.absorbed().contains(node.index());
  }

  /** One node with the sum and behind it the input, normalised and converted; both are views. */
  private void sum(Tensor node, ProductInput input, Norm norm) {
    Shape s = node.shape();
    long sumBytes = Float.BYTES * s.elements();
    long bytes = GatunKernels.gatun_quantized_rows_bytes(input.format(), s.d0(), s.rows());
    MemorySegment all =
        custom.node(
            DType.F32,
            Shape.of((sumBytes + bytes) / Float.BYTES),
            GatunKernels.gatun_quantize_sum_normed$address(),
            how(input, 0, norm.epsilon()),
            List.of(at(node.operands().get(0)), at(node.operands().get(1)), norm.gain().handle()));
    long row = Float.BYTES * s.d0();
    lowered[node.index()] =
        Ggml.ggml_view_3d(custom.ctx(), all, s.d0(), s.d1(), s.d2(), row, row * s.d1(), 0);
    converted.put(input, Ggml.ggml_view_1d(custom.ctx(), all, bytes / Float.BYTES, sumBytes));
  }

  private MemorySegment convert(ProductInput input) {
    return switch (input.kernel()) {
      case DOTS -> dots(input);
      case ROWS -> rows(input);
      case PANELS -> panels(input);
      case GGML, FLOATS -> throw new AssertionError("not a shared product");
    };
  }

  private MemorySegment dots(ProductInput input) {
    Shape s = input.x().shape();
    long bytes = GatunKernels.gatun_quantized_rows_bytes(input.format(), s.d0(), s.rows());
    return switch (fused.sources().get(input.x().index())) {
      case Normed(Norm(Tensor x, StoredTensor gain, float epsilon)) ->
          custom.bytes(
              bytes,
              GatunKernels.gatun_quantize_normed$address(),
              how(input, 0, epsilon),
              List.of(at(x), gain.handle()));
      case Gated(Op.GluKind kind, List<Tensor> operands) ->
          custom.bytes(
              bytes,
              GatunKernels.gatun_quantize_gated$address(),
              how(input, glu(kind), 0),
              operands.stream().map(this::at).toList());
      case null ->
          custom.bytes(
              bytes,
              GatunKernels.gatun_quantize_rows$address(),
              CustomNodes.number(input.format()),
              List.of(at(input.x())));
    };
  }

  private MemorySegment how(ProductInput input, int glu, float epsilon) {
    MemorySegment how = gatun_input.allocate(custom.arena());
    gatun_input.block(how, input.format());
    gatun_input.glu(how, glu);
    gatun_input.epsilon(how, epsilon);
    return how;
  }

  private static int glu(Op.GluKind kind) {
    return switch (kind) {
      case SWIGLU -> GatunKernels.GATUN_SWIGLU();
      case GEGLU -> GatunKernels.GATUN_GEGLU();
      case REGLU -> GatunKernels.GATUN_REGLU();
      case SWIGLU_OAI -> GatunKernels.GATUN_SWIGLU_OAI();
    };
  }

  private MemorySegment rows(ProductInput input) {
    Shape s = input.x().shape();
    DType format = DType.ofId(input.format()).orElseThrow();
    MemorySegment type = gatun_row_type.allocate(custom.arena());
    gatun_row_type.from_float(
        type, ggml_type_traits_cpu.from_float(ProductInput.traits(format.id())));
    gatun_row_type.block(type, format.blockSize());
    gatun_row_type.block_bytes(type, format.blockBytes());
    return custom.bytes(
        GatunKernels.gatun_converted_bytes(type, s.d0(), s.rows()),
        GatunKernels.gatun_convert_rows$address(),
        type,
        List.of(at(input.x())));
  }

  private MemorySegment panels(ProductInput input) {
    long k = input.x().shape().d0();
    MemorySegment block = CustomNodes.number(input.format());
    if (input.experts().isEmpty()) {
      return custom.bytes(
          GatunKernels.gatun_quantized_bytes(input.format(), k, input.x().shape().rows()),
          GatunKernels.gatun_quantize$address(),
          block,
          List.of(at(input.x())));
    }
    Experts experts = input.experts().get();
    return custom.bytes(
        GatunKernels.gatun_quantized_experts_bytes(
            input.format(), k, experts.count(), experts.pairs()),
        GatunKernels.gatun_quantize_experts$address(),
        block,
        List.of(at(input.x()), routes.of(experts), at(experts.ids())));
  }

  private MemorySegment at(Tensor node) {
    return lowered[node.index()];
  }
}
