package io.gatun.tensor;

import static java.lang.foreign.MemorySegment.NULL;

import io.gatun.bindings.ggml.Ggml;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * Turns a {@link Graph} into GGML nodes: the only caller of GGML's op constructors. It trusts
 * {@link ShapeRules}, which has checked every node.
 */
final class Lowering {
  /** 7 · limit of gpt-oss' clamped SwiGLU. */
  private static final float OAI_LIMIT = 7f;

  private static final float OAI_ALPHA = 1.702f;

  private final MemorySegment ctx;
  private final MemorySegment[] lowered;
  private final Kernels kernels;
  private final ConvertedInputs inputs;
  private final SharedProducts products;
  private final FloatProducts floatProducts;
  private final OwnAttention ownAttention;
  private final TrainingNodes training;
  private final OwnRopes ropes;
  private final WeightedSums weightedSums;
  private final CustomNodes custom;

  private Lowering(Graph graph, Target target) {
    this.ctx = target.ctx();
    this.lowered = new MemorySegment[graph.nodes().getLast().index() + 1];
    Arrays.fill(lowered, NULL);
    this.kernels = target.kernels();
    this.custom = new CustomNodes(ctx, target.arena());
    ExpertRoutes routes = new ExpertRoutes(custom, lowered);
    this.inputs = new ConvertedInputs(custom, lowered, routes, FusedInputs.of(graph, kernels));
    this.products = new SharedProducts(custom, lowered, routes, inputs, graph, kernels);
    this.floatProducts = new FloatProducts(custom, lowered, routes, kernels.bfloats());
    this.ownAttention = new OwnAttention(custom, target.threads());
    this.training = new TrainingNodes(custom, target, graph, lowered, routes);
    this.ropes = new OwnRopes(custom, lowered, FusedRopes.of(graph, kernels));
    this.weightedSums = WeightedSums.of(graph, kernels);
  }

  /**
   * What a graph is lowered for.
   *
   * @param arena lives as long as the GGML graph
   */
  record Target(
      Kernels kernels, int threads, Arena arena, MemorySegment ctx, MemorySegment ggmlGraph) {}

  /** How many GGML tensors a graph can become at most. */
  static long tensorCount(Graph graph) {
    return (long) SharedProducts.TENSORS * graph.nodes().size() + 8;
  }

  /**
   * Emits all nodes in order.
   *
   * @return the GGML tensor of each node, by {@link Tensor#index()}; NULL where another computes it
   */
  static MemorySegment[] lower(Graph graph, Target target) {
    Lowering lowering = new Lowering(graph, target);
    try (Arena names = Arena.ofConfined()) {
      for (Tensor node : graph.nodes()) {
        if (node.op() instanceof Op.Backward) {
          lowering.floatProducts.forget();
        }
        if (lowering.products.emit(node)
            || lowering.inputs.emit(node)
            || lowering.ropes.emit(node)
            || lowering.weightedSums.emit(node, lowering.custom, lowering.lowered)) {
          continue;
        }
        MemorySegment tensor = lowering.emit(node);
        lowering.lowered[node.index()] = tensor;
        if (node.op() instanceof Op.Input input) {
          Ggml.ggml_set_input(tensor);
          var _ = Ggml.ggml_set_name(tensor, names.allocateFrom(input.name()));
        }
      }
      for (Tensor output : graph.outputs()) {
        Ggml.ggml_set_output(lowering.lowered[output.index()]);
      }
      // Expanding in order of creation makes that the order of computation.
      for (Tensor node : graph.nodes()) {
        MemorySegment tensor = lowering.lowered[node.index()];
        if (!tensor.equals(NULL)) {
          Ggml.ggml_build_forward_expand(target.ggmlGraph(), tensor);
        }
      }
    }
    return lowering.lowered;
  }

  private MemorySegment emit(Tensor node) {
    List<Tensor> operands = node.operands();
    MemorySegment a = operands.isEmpty() ? NULL : at(operands, 0);
    MemorySegment b = operands.size() < 2 ? NULL : at(operands, 1);
    MemorySegment c = operands.size() < 3 ? NULL : at(operands, 2);
    return switch (node.op()) {
      case Op.Input _ -> newTensor(node.layout());
      case Op.Stored(StoredTensor stored) -> stored.handle();
      case Op.GetRows _ -> Ggml.ggml_get_rows(ctx, a, b);
      case Op.SetRows _ -> Ggml.ggml_set_rows(ctx, a, b, c);
      case Op.Binary(Op.BinaryKind kind) ->
          switch (kind) {
            case ADD -> Ggml.ggml_add(ctx, a, b);
            case SUB -> Ggml.ggml_sub(ctx, a, b);
            case MUL -> Ggml.ggml_mul(ctx, a, b);
            case DIV -> Ggml.ggml_div(ctx, a, b);
          };
      case Op.AddId _ -> Ggml.ggml_add_id(ctx, a, b, c);
      case Op.Scale(float factor, float bias) ->
          bias == 0f ? Ggml.ggml_scale(ctx, a, factor) : Ggml.ggml_scale_bias(ctx, a, factor, bias);
      case Op.RmsNorm(float epsilon) -> Ggml.ggml_rms_norm(ctx, a, epsilon);
      case Op.LayerNorm(float epsilon) -> Ggml.ggml_norm(ctx, a, epsilon);
      case Op.MatMul(boolean accumulateF32) -> {
        if (kernels.product(node) == Kernels.Product.FLOATS) {
          yield floatProducts.emit(node);
        }
        MemorySegment product = Ggml.ggml_mul_mat(ctx, a, b);
        if (accumulateF32) {
          Ggml.ggml_mul_mat_set_prec(product, Ggml.GGML_PREC_F32());
        }
        yield product;
      }
      case Op.MatMulId _ ->
          kernels.product(node) == Kernels.Product.FLOATS
              ? floatProducts.emit(node)
              : Ggml.ggml_mul_mat_id(ctx, a, b, c);
      case Op.Rope(RopeParameters p) -> rope(a, b, c, p, false);
      case Op.SoftMax softMax -> softMax(softMax, operands);
      case Op.Attention attention ->
          kernels.attention(node)
              ? ownAttention.emit(attention, operands, lowered)
              : attention(attention, operands);
      case Op.Glu(Op.GluKind kind) ->
          switch (kind) {
            case SWIGLU -> Ggml.ggml_glu_split(ctx, a, b, Ggml.GGML_GLU_OP_SWIGLU());
            case GEGLU -> Ggml.ggml_glu_split(ctx, a, b, Ggml.GGML_GLU_OP_GEGLU());
            case REGLU -> Ggml.ggml_glu_split(ctx, a, b, Ggml.GGML_GLU_OP_REGLU());
            case SWIGLU_OAI -> Ggml.ggml_swiglu_oai(ctx, a, b, OAI_ALPHA, OAI_LIMIT);
          };
      case Op.GluFused(Op.GluKind kind) -> Ggml.ggml_glu(ctx, a, gluId(kind), false);
      case Op.Unary(Op.UnaryKind kind) -> Ggml.ggml_unary(ctx, a, kind.id());
      case Op.Sqrt _ -> Ggml.ggml_sqrt(ctx, a);
      case Op.Clamp(float low, float high) -> Ggml.ggml_clamp(ctx, a, low, high);
      case Op.SumRows _ -> Ggml.ggml_sum_rows(ctx, a);
      case Op.ArgSort _ -> Ggml.ggml_argsort(ctx, a, Ggml.GGML_SORT_ORDER_DESC());
      case Op.ArgMax _ -> Ggml.ggml_argmax(ctx, a);
      case Op.SumTo _,
          Op.Repeat _,
          Op.CrossEntropy _,
          Op.SumSquares _,
          Op.Dropout _,
          Op.Blend _,
          Op.Update _ ->
          training.emit(node);
      case Op.RopeBack(RopeParameters p) -> rope(a, b, c, p, true);
      case Op.Backward _ -> training.emit(node);
      case Op.Concat(int axis) -> Ggml.ggml_concat(ctx, a, b, axis);
      case Op.View(Shape s, long s1, long s2, long s3, long offset) ->
          Ggml.ggml_view_4d(ctx, a, s.d0(), s.d1(), s.d2(), s.d3(), s1, s2, s3, offset);
      case Op.Reshape(Shape s) -> Ggml.ggml_reshape_4d(ctx, a, s.d0(), s.d1(), s.d2(), s.d3());
      case Op.Permute(int to0, int to1, int to2, int to3) ->
          Ggml.ggml_permute(ctx, a, to0, to1, to2, to3);
      case Op.Dense(Shape s) -> Ggml.ggml_cont_4d(ctx, a, s.d0(), s.d1(), s.d2(), s.d3());
      case Op.Cast(DType type) -> Ggml.ggml_cast(ctx, a, type.id());
    };
  }

  private MemorySegment at(List<Tensor> operands, int index) {
    return lowered[operands.get(index).index()];
  }

  private MemorySegment newTensor(Layout layout) {
    Shape s = layout.shape();
    return Ggml.ggml_new_tensor_4d(ctx, layout.type().id(), s.d0(), s.d1(), s.d2(), s.d3());
  }

  private MemorySegment rope(
      MemorySegment x,
      MemorySegment positions,
      MemorySegment factors,
      RopeParameters p,
      boolean back) {
    int dims = p.dims();
    int mode = p.neox() ? Ggml.GGML_ROPE_TYPE_NEOX() : Ggml.GGML_ROPE_TYPE_NORMAL();
    int context = p.originalContext();
    float base = p.base();
    float scale = p.scale();
    float ext = p.extFactor();
    float factor = p.attentionFactor();
    float fast = p.betaFast();
    float slow = p.betaSlow();
    return back
        ? Ggml.ggml_rope_ext_back(
            ctx, x, positions, factors, dims, mode, context, base, scale, ext, factor, fast, slow)
        : Ggml.ggml_rope_ext(
            ctx, x, positions, factors, dims, mode, context, base, scale, ext, factor, fast, slow);
  }

  private MemorySegment softMax(Op.SoftMax op, List<Tensor> operands) {
    MemorySegment mask = op.masked() ? at(operands, 1) : NULL;
    MemorySegment result =
        Ggml.ggml_soft_max_ext(ctx, at(operands, 0), mask, op.scale(), op.maxBias());
    if (op.sinks()) {
      Ggml.ggml_soft_max_add_sinks(result, at(operands, operands.size() - 1));
    }
    return result;
  }

  private MemorySegment attention(Op.Attention op, List<Tensor> operands) {
    MemorySegment result =
        Ggml.ggml_flash_attn_ext(
            ctx,
            at(operands, 0),
            at(operands, 1),
            at(operands, 2),
            at(operands, 3),
            op.scale(),
            0f,
            op.softcap());
    if (op.sinks()) {
      Ggml.ggml_flash_attn_ext_add_sinks(result, at(operands, 4));
    }
    Ggml.ggml_flash_attn_ext_set_prec(result, Ggml.GGML_PREC_F32());
    return result;
  }

  private static int gluId(Op.GluKind kind) {
    return switch (kind) {
      case SWIGLU -> Ggml.GGML_GLU_OP_SWIGLU();
      case GEGLU -> Ggml.GGML_GLU_OP_GEGLU();
      case REGLU -> Ggml.GGML_GLU_OP_REGLU();
      case SWIGLU_OAI -> throw new ShapeException("SWIGLU_OAI needs two operands");
    };
  }
}
