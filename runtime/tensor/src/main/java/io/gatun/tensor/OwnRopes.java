package io.gatun.tensor;

import io.gatun.bindings.ggml.GatunKernels;
import io.gatun.bindings.ggml.gatun_rope_angles;
import io.gatun.bindings.ggml.gatun_rope_node;
import io.gatun.bindings.ggml.ggml_type_traits_cpu;
import io.gatun.tensor.FusedRopes.Turned;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Lowers what {@link FusedRopes} found to our own kernel. Layers that turn by the same angles share
 * a table of their cosines and sines.
 */
final class OwnRopes {
  /** What angles depend on: positions, perhaps frequency factors, and parameters. */
  private record Angles(List<Tensor> operands, RopeParameters parameters) {}

  private final CustomNodes custom;
  private final MemorySegment[] lowered;
  private final FusedRopes fused;
  private final Map<Angles, MemorySegment> tables = new HashMap<>();

  OwnRopes(CustomNodes custom, MemorySegment[] lowered, FusedRopes fused) {
    this.custom = custom;
    this.lowered = lowered;
    this.fused = fused;
  }

  /** Whether a node is computed here: emits what has its place there, nothing for the others. */
  boolean emit(Tensor node) {
    Turned turned = fused.nodes().get(node.index());
    if (turned != null) {
      lowered[turned.rope().index()] = emit(turned);
    }
    return fused.absorbed().contains(node.index());
  }

  private MemorySegment emit(Turned t) {
    List<Tensor> inputs = t.rope().operands();
    MemorySegment table =
        tables.computeIfAbsent(
            new Angles(inputs.subList(1, inputs.size()), t.parameters()), this::table);
    boolean normed = !t.norms().isEmpty();
    MemorySegment cells = at(t.keys().operands().get(2));
    List<MemorySegment> operands = new ArrayList<>();
    operands.add(at(normed ? t.norms().get(0).x() : t.q()));
    operands.add(at(normed ? t.norms().get(1).x() : t.k()));
    operands.addAll(List.of(at(t.v()), table, cells, at(cache(t.keys())), at(cache(t.values()))));
    t.norms().forEach(norm -> operands.add(norm.gain().handle()));

    MemorySegment how = gatun_rope_node.allocate(custom.arena());
    gatun_rope_node.dims(how, t.parameters().dims());
    gatun_rope_node.neighbours(how, !t.parameters().neox());
    gatun_rope_node.epsilon(how, normed ? t.norms().getFirst().epsilon() : 0);
    gatun_rope_node.keys_from_float(how, fromFloat(cache(t.keys())));
    gatun_rope_node.values_from_float(how, fromFloat(cache(t.values())));
    return custom.node(
        DType.F32, t.rope().shape(), GatunKernels.gatun_rope$address(), how, operands);
  }

  private MemorySegment table(Angles angles) {
    RopeParameters p = angles.parameters();
    MemorySegment how = gatun_rope_angles.allocate(custom.arena());
    gatun_rope_angles.dims(how, p.dims());
    gatun_rope_angles.original_context(how, p.originalContext());
    gatun_rope_angles.base(how, p.base());
    gatun_rope_angles.scale(how, p.scale());
    gatun_rope_angles.ext_factor(how, p.extFactor());
    gatun_rope_angles.attention_factor(how, p.attentionFactor());
    gatun_rope_angles.beta_fast(how, p.betaFast());
    gatun_rope_angles.beta_slow(how, p.betaSlow());
    return custom.node(
        DType.F32,
        Shape.of(p.dims(), angles.operands().getFirst().shape().d0()),
        GatunKernels.gatun_rope_table$address(),
        how,
        angles.operands().stream().map(this::at).toList());
  }

  private static Tensor cache(Tensor write) {
    return write.operands().getFirst();
  }

  private static MemorySegment fromFloat(Tensor cache) {
    return ggml_type_traits_cpu.from_float(ProductInput.traits(cache.type().id()));
  }

  private MemorySegment at(Tensor node) {
    return lowered[node.index()];
  }
}
