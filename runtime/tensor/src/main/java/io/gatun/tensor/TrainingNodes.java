package io.gatun.tensor;

import io.gatun.bindings.ggml.GatunKernels;
import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.gatun_activation;
import io.gatun.bindings.ggml.gatun_attention_back;
import io.gatun.bindings.ggml.gatun_blend;
import io.gatun.bindings.ggml.gatun_dropout;
import io.gatun.bindings.ggml.gatun_gemm_node;
import io.gatun.bindings.ggml.gatun_norm;
import io.gatun.bindings.ggml.gatun_softmax;
import io.gatun.bindings.ggml.gatun_window;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Lowers the ops of training that GGML lacks, or has on one thread only, to our own kernels. */
final class TrainingNodes {
  /** Columns from which laying out an input of a product pays. */
  private static final int PACKED_COLUMNS_MIN = 13;

  private final CustomNodes custom;
  private final int threads;
  private final boolean bfloats;
  private final MemorySegment[] lowered;
  private final Graph graph;
  private final ExpertRoutes routes;
  private final StoredProducts stored;

  TrainingNodes(
      CustomNodes custom,
      Lowering.Target target,
      Graph graph,
      MemorySegment[] lowered,
      ExpertRoutes routes) {
    this.routes = routes;
    this.custom = custom;
    this.threads = target.threads();
    this.bfloats = target.kernels().bfloats();
    this.graph = graph;
    this.lowered = lowered;
    this.stored = new StoredProducts(graph);
  }

  MemorySegment emit(Tensor node) {
    return switch (node.op()) {
      case Op.SumTo _ -> node(node, GatunKernels.gatun_sum_to$address(), MemorySegment.NULL);
      case Op.Repeat _ -> node(node, GatunKernels.gatun_repeat$address(), MemorySegment.NULL);
      case Op.CrossEntropy _ ->
          node(node, GatunKernels.gatun_cross_entropy$address(), MemorySegment.NULL);
      case Op.SumSquares _ ->
          node(node, GatunKernels.gatun_sum_squares$address(), MemorySegment.NULL);
      case Op.Dropout(float rate, int place) -> {
        MemorySegment data = gatun_dropout.allocate(custom.arena());
        gatun_dropout.rate(data, rate);
        gatun_dropout.place(data, place);
        yield node(node, GatunKernels.gatun_dropout$address(), data);
      }
      case Op.Blend(float keep, float gain) -> {
        if (stored.done(node)) {
          yield at(node.operands().get(1));
        }
        MemorySegment data = gatun_blend.allocate(custom.arena());
        gatun_blend.keep(data, keep);
        gatun_blend.gain(data, gain);
        yield inPlace(node, GatunKernels.gatun_blend$address(), data);
      }
      case Op.Update(Op.UpdateRule rule) ->
          inPlace(node, GatunKernels.gatun_update$address(), CustomNodes.number(id(rule)));
      case Op.Backward backward -> backward(backward, node);
      default -> throw new AssertionError("not an op of training: " + node.op());
    };
  }

  private MemorySegment backward(Op.Backward op, Tensor node) {
    return switch (op) {
      case Op.MatMulInput _ -> matMulInput(node);
      case Op.MatMulWeight _ -> matMulWeight(node);
      case Op.ExpertsInput _ ->
          experts(node, GatunKernels.GATUN_GRAD_INPUT(), node.operands().get(0).shape().d2());
      case Op.ExpertsWeight(long experts) ->
          experts(node, GatunKernels.GATUN_GRAD_WEIGHT(), experts);
      case Op.NormBack(boolean centred, float epsilon) -> {
        MemorySegment data = gatun_norm.allocate(custom.arena());
        gatun_norm.epsilon(data, epsilon);
        gatun_norm.centred(data, centred ? 1 : 0);
        yield node(node, GatunKernels.gatun_norm_back$address(), data);
      }
      case Op.UnaryBack(Op.UnaryKind kind) ->
          node(node, GatunKernels.gatun_activation_back$address(), activation(id(kind), false));
      case Op.ClampBack(float low, float high) -> {
        MemorySegment data = activation(GatunKernels.GATUN_CLAMP(), false);
        gatun_activation.low(data, low);
        gatun_activation.high(data, high);
        yield node(node, GatunKernels.gatun_activation_back$address(), data);
      }
      case Op.GluBack(Op.GluKind kind) ->
          node(node, GatunKernels.gatun_gated_back$address(), activation(id(kind), false));
      case Op.GluFusedBack(Op.GluKind kind) ->
          node(node, GatunKernels.gatun_gated_back$address(), activation(id(kind), true));
      case Op.ScatterRows _ ->
          node(node, GatunKernels.gatun_scatter_rows$address(), MemorySegment.NULL);
      case Op.ScatterView(Op.View view, Shape _) -> {
        MemorySegment data = gatun_window.allocate(custom.arena());
        MemorySegment strides = gatun_window.stride(data);
        strides.setAtIndex(ValueLayout.JAVA_LONG, 0, view.s1());
        strides.setAtIndex(ValueLayout.JAVA_LONG, 1, view.s2());
        strides.setAtIndex(ValueLayout.JAVA_LONG, 2, view.s3());
        gatun_window.offset(data, view.offset());
        yield node(node, GatunKernels.gatun_scatter_view$address(), data);
      }
      case Op.CrossEntropyBack _ -> crossEntropyBack(node);
      case Op.AttentionQueries(float scale, float softcap, boolean sinks) ->
          attention(
              node,
              GatunKernels.gatun_attention_back_queries$address(),
              attention(scale, softcap, sinks));
      case Op.AttentionKeys(float scale, float softcap, boolean sinks) ->
          attention(
              node,
              GatunKernels.gatun_attention_back_keys$address(),
              attention(scale, softcap, sinks));
      case Op.SoftMaxBack(float scale) -> {
        MemorySegment data = gatun_softmax.allocate(custom.arena());
        gatun_softmax.scale(data, scale);
        yield node(node, GatunKernels.gatun_softmax_back$address(), data);
      }
      case Op.RopeBack _ -> throw new AssertionError("an op of GGML's: " + op);
    };
  }

  /** W · dY: W [K, M], dY [M, N] → [K, N]. */
  private MemorySegment matMulInput(Tensor node) {
    Tensor dy = node.operands().get(1);
    int form = GatunKernels.GATUN_GRAD_INPUT();
    MemorySegment input = at(dy);
    if (dy.shape().d1() >= PACKED_COLUMNS_MIN && !bfloats) {
      Shape s = dy.shape();
      Shape laidOut =
          new Shape(
              GatunKernels.gatun_packed_row(s.d0()),
              GatunKernels.gatun_packed_rows(s.d1()),
              s.d2(),
              s.d3());
      input =
          custom.node(
              DType.F32,
              laidOut,
              GatunKernels.gatun_pack_columns$address(),
              CustomNodes.number(GatunKernels.GATUN_B_INNER_SUM()),
              List.of(input));
      form |= GatunKernels.GATUN_B_PACKED();
    }
    return custom.node(
        DType.F32,
        node.shape(),
        GatunKernels.gatun_gemm$address(),
        gemm(form),
        List.of(at(node.operands().getFirst()), input));
  }

  /** X · dYᵀ: X [K, N], dY [M, N] → [K, M]. */
  private MemorySegment matMulWeight(Tensor node) {
    MemorySegment function = GatunKernels.gatun_gemm$address();
    int form = GatunKernels.GATUN_GRAD_WEIGHT();
    Optional<Tensor> blend = stored.blendOf(node);
    if (blend.isEmpty()) {
      return node(node, function, gemm(form));
    }
    boolean adds = ((Op.Blend) blend.get().op()).keep() != 0f;
    form |= GatunKernels.GATUN_IN_PLACE() | (adds ? GatunKernels.GATUN_ACCUMULATE() : 0);
    return custom.inPlace(handle(blend.get()), function, gemm(form), operands(node));
  }

  /** A product of {@link #backward} for pairs of a token and an expert. */
  private MemorySegment experts(Tensor node, int form, long experts) {
    Tensor ids = node.operands().get(2);
    List<MemorySegment> operands =
        List.of(
            at(node.operands().get(0)),
            at(node.operands().get(1)),
            routes.of(new ExpertRoutes.Experts(ids, experts)));
    MemorySegment function = GatunKernels.gatun_gemm_experts$address();
    Optional<Tensor> blend = stored.blendOf(node);
    if (blend.isEmpty()) {
      return custom.node(DType.F32, node.shape(), function, gemm(form), operands);
    }
    int inPlace = form | GatunKernels.GATUN_IN_PLACE() | GatunKernels.GATUN_ACCUMULATE();
    return custom.inPlace(handle(blend.get()), function, gemm(inPlace), operands);
  }

  /**
   * The stored tensor of a blend: its leaf may come later than this node, but its memory is there.
   */
  private static MemorySegment handle(Tensor blend) {
    return ((Op.Stored) blend.operands().getFirst().op()).tensor().handle();
  }

  /** Over the logits themselves where nothing needs them afterwards: they are as wide as V. */
  private MemorySegment crossEntropyBack(Tensor node) {
    MemorySegment function = GatunKernels.gatun_cross_entropy_back$address();
    Tensor logits = node.operands().getFirst();
    boolean reused =
        switch (logits.op()) {
          case Op.Input _, Op.Stored _, Op.View _, Op.Reshape _, Op.Permute _, Op.Write _ -> true;
          default ->
              graph.outputs().contains(logits)
                  || graph.nodes().stream()
                      .filter(n -> n != node && n.operands().contains(logits))
                      .anyMatch(
                          n -> n.index() > node.index() || !(n.op() instanceof Op.CrossEntropy));
        };
    return reused || !logits.layout().dense()
        ? node(node, function, MemorySegment.NULL)
        : inPlace(node, function, MemorySegment.NULL);
  }

  private MemorySegment attention(Tensor node, MemorySegment function, MemorySegment data) {
    Shape q = node.operands().get(0).shape();
    Shape v = node.operands().get(2).shape();
    long result = node.shape().elements();
    long scratch = GatunKernels.gatun_attention_back_floats(q.d0(), v.d0(), threads);
    MemorySegment all =
        custom.node(DType.F32, Shape.of(result + scratch), function, data, operands(node));
    return Ggml.ggml_view_1d(custom.ctx(), all, result, 0);
  }

  private MemorySegment attention(float scale, float softcap, boolean sinks) {
    MemorySegment data = gatun_attention_back.allocate(custom.arena());
    gatun_attention_back.scale(data, scale);
    gatun_attention_back.softcap(data, softcap);
    gatun_attention_back.sinks(data, sinks ? 1 : 0);
    return data;
  }

  private MemorySegment gemm(int form) {
    MemorySegment data = gatun_gemm_node.allocate(custom.arena());
    gatun_gemm_node.form(data, bfloats ? form | GatunKernels.GATUN_BFLOATS() : form);
    return data;
  }

  private MemorySegment activation(int function, boolean fused) {
    MemorySegment data = gatun_activation.allocate(custom.arena());
    gatun_activation.function(data, function);
    gatun_activation.fused(data, fused ? 1 : 0);
    return data;
  }

  private MemorySegment node(Tensor node, MemorySegment function, MemorySegment data) {
    return custom.node(DType.F32, node.shape(), function, data, operands(node));
  }

  /** The first operand is also what the node gives. */
  private MemorySegment inPlace(Tensor node, MemorySegment function, MemorySegment data) {
    List<MemorySegment> all = operands(node);
    return custom.inPlace(all.getFirst(), function, data, all.subList(1, all.size()));
  }

  private List<MemorySegment> operands(Tensor node) {
    List<MemorySegment> all = new ArrayList<>();
    node.operands().forEach(operand -> all.add(at(operand)));
    return all;
  }

  private MemorySegment at(Tensor node) {
    return lowered[node.index()];
  }

  private static int id(Op.UpdateRule rule) {
    return switch (rule) {
      case SGD -> GatunKernels.GATUN_SGD();
      case LION -> GatunKernels.GATUN_LION();
      case ADAMW -> GatunKernels.GATUN_ADAMW();
      case ADAMW_8BIT -> GatunKernels.GATUN_ADAMW_8BIT();
    };
  }

  private static int id(Op.UnaryKind kind) {
    return switch (kind) {
      case TANH -> GatunKernels.GATUN_TANH();
      case RELU -> GatunKernels.GATUN_RELU();
      case SIGMOID -> GatunKernels.GATUN_SIGMOID();
      case GELU -> GatunKernels.GATUN_GELU();
      case SILU -> GatunKernels.GATUN_SILU();
      case EXP -> GatunKernels.GATUN_EXP();
      case SOFTPLUS -> GatunKernels.GATUN_SOFTPLUS();
    };
  }

  private static int id(Op.GluKind kind) {
    return switch (kind) {
      case SWIGLU -> GatunKernels.GATUN_SWIGLU();
      case GEGLU -> GatunKernels.GATUN_GEGLU();
      case REGLU -> GatunKernels.GATUN_REGLU();
      case SWIGLU_OAI -> GatunKernels.GATUN_SWIGLU_OAI();
    };
  }
}
