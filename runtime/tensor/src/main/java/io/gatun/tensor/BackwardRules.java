package io.gatun.tensor;

import io.gatun.bindings.NativeLibraries;
import io.gatun.bindings.ggml.GatunKernels;
import io.gatun.tensor.ShapeRules.Rule;
import java.util.ArrayList;
import java.util.Set;

/**
 * What the ops of {@link Gradients} accept. These nodes come from rules that know the forward op,
 * so most of it is there to stop a wrong rule before it reaches memory.
 */
final class BackwardRules {
  private static final Set<DType> FLOATS = Set.of(DType.F32, DType.F16, DType.BF16);

  private BackwardRules() {}

  static Layout result(Op.Backward op, Rule r) {
    return switch (op) {
      case Op.MatMulInput _ -> matMulInput(r);
      case Op.MatMulWeight _ -> matMulWeight(r);
      case Op.ExpertsInput _ -> expertsInput(r);
      case Op.ExpertsWeight(long experts) -> expertsWeight(r, experts);
      case Op.NormBack _, Op.SoftMaxBack _, Op.UnaryBack _, Op.ClampBack _ -> likeBoth(r);
      case Op.RopeBack(RopeParameters parameters) -> {
        r.requireType(r.operands().getFirst(), DType.F32);
        yield ShapeRules.result(new Op.Rope(parameters), r.operands());
      }
      case Op.GluBack _ -> {
        likeAll(r, 3);
        yield Layout.dense(DType.F32, Shape.of(2 * r.operand(0, 3).shape().elements()));
      }
      case Op.GluFusedBack _ -> {
        Tensor dy = requireRows(r, r.operand(0, 2));
        Tensor x = requireRows(r, r.operand(1, 2));
        r.require(x.shape().equals(dy.shape().with(0, 2 * dy.shape().d0())), "shapes differ");
        yield Layout.dense(DType.F32, x.shape());
      }
      case Op.ScatterRows(long rows) -> scatterRows(r, rows);
      case Op.ScatterView(Op.View view, Shape shape) -> scatterView(r, view, shape);
      case Op.CrossEntropyBack _ -> {
        Layout losses = crossEntropy(r, 4);
        Tensor dy = requireRows(r, r.operand(3, 4));
        r.require(dy.shape().equals(losses.shape()) && dy.layout().dense(), "dy must be [N]");
        yield Layout.dense(DType.F32, r.operand(0, 4).shape());
      }
      case Op.AttentionQueries a -> attentionQueries(r, a.sinks());
      case Op.AttentionKeys a -> attentionKeys(r, a.sinks());
    };
  }

  static Layout crossEntropy(Rule r, int count) {
    Tensor logits = requireRows(r, r.operand(0, count));
    Tensor labels = r.operand(1, count);
    Tensor weights = r.operand(2, count);
    Shape rows = Shape.of(logits.shape().d1());
    r.require(logits.shape().rows() == logits.shape().d1(), "logits must be a matrix");
    r.requireType(labels, DType.I32);
    r.requireType(weights, DType.F32);
    r.require(
        labels.shape().equals(rows) && weights.shape().equals(rows),
        "labels and weights must be [N]");
    r.require(labels.layout().dense() && weights.layout().dense(), "must be dense");
    r.require(labels.op() instanceof Op.Input, "labels must be an input, whose bound is checked");
    r.requireBound(labels, logits.shape().d0());
    return Layout.dense(DType.F32, rows);
  }

  private static Layout matMulInput(Rule r) {
    Tensor w = requireWeight(r, r.operand(0, 2));
    Tensor dy = requireRows(r, r.operand(1, 2));
    r.require(w.shape().d1() == dy.shape().d0(), "the weight's rows and those of dy differ");
    r.require(
        dy.shape().d2() % w.shape().d2() == 0 && dy.shape().d3() % w.shape().d3() == 0,
        "the weight's outer axes do not repeat into those of dy");
    return Layout.dense(DType.F32, dy.shape().with(0, w.shape().d0()));
  }

  private static Layout matMulWeight(Rule r) {
    Tensor x = r.operand(0, 2);
    Tensor dy = requireRows(r, r.operand(1, 2));
    r.require(FLOATS.contains(x.type()) && x.layout().rowsDense(), "x must have rows of floats");
    r.require(
        x.shape().with(0, 1).equals(dy.shape().with(0, 1)), "x and dy differ beyond their rows");
    return Layout.dense(DType.F32, x.shape().with(1, dy.shape().d0()));
  }

  private static Layout expertsInput(Rule r) {
    Tensor w = requireWeight(r, r.operand(0, 3));
    Tensor dy = requireRows(r, r.operand(1, 3));
    requireIds(r, r.operand(2, 3), dy, w.shape().d2());
    r.require(w.shape().d1() == dy.shape().d0(), "the weight's rows and those of dy differ");
    return Layout.dense(DType.F32, dy.shape().with(0, w.shape().d0()));
  }

  private static Layout expertsWeight(Rule r, long experts) {
    Tensor x = requireRows(r, r.operand(0, 3));
    Tensor dy = requireRows(r, r.operand(1, 3));
    requireIds(r, r.operand(2, 3), dy, experts);
    r.require(x.shape().d2() == dy.shape().d2() && x.shape().d3() == 1, "x and dy differ in rows");
    r.require(dy.shape().d1() % x.shape().d1() == 0, "x and dy differ in experts");
    return Layout.dense(DType.F32, Shape.of(x.shape().d0(), dy.shape().d0(), experts));
  }

  private static void requireIds(Rule r, Tensor ids, Tensor dy, long experts) {
    r.requireType(ids, DType.I32);
    r.require(ids.layout().rowsDense(), "rows of ids must be dense");
    r.require(
        dy.shape().equals(Shape.of(dy.shape().d0(), ids.shape().d0(), ids.shape().d1())),
        "one id per row of dy is needed");
    r.requireBound(ids, experts);
    r.require(
        experts <= GatunKernels.GATUN_EXPERTS_MAX(),
        "at most %d experts".formatted(GatunKernels.GATUN_EXPERTS_MAX()));
  }

  private static Layout scatterRows(Rule r, long rows) {
    Tensor dy = requireRows(r, r.operand(0, 2));
    Tensor ids = r.operand(1, 2);
    r.requireType(ids, DType.I32);
    r.require(ids.layout().dense(), "ids must be dense");
    r.require(
        dy.shape().d1() == ids.shape().d0()
            && dy.shape().d2() == ids.shape().d1()
            && dy.shape().d3() == ids.shape().d2(),
        "one id per row is needed");
    r.requireBound(ids, rows);
    return Layout.dense(DType.F32, dy.shape().with(1, rows));
  }

  private static Layout scatterView(Rule r, Op.View view, Shape shape) {
    Tensor dy = requireRows(r, r.x());
    Layout whole = Layout.dense(DType.F32, shape);
    Layout window = new Layout(DType.F32, view.shape(), 4, view.s1(), view.s2(), view.s3());
    r.require(dy.shape().equals(view.shape()), "dy is not of the window's shape");
    r.require(
        view.offset() >= 0 && view.offset() + window.bytes() <= whole.bytes(),
        "the window ends behind its operand");
    r.require(
        (view.offset() | view.s1() | view.s2() | view.s3()) % Float.BYTES == 0,
        "the window is inside an element");
    return whole;
  }

  private static Layout attentionQueries(Rule r, boolean sinks) {
    requireAttention(r, sinks);
    Tensor q = r.operands().get(0);
    requireHeads(r, r.operands().get(4));
    return Layout.dense(
        DType.F32, Shape.of(q.shape().elements() + 2 * q.shape().d1() * q.shape().d2()));
  }

  private static Layout attentionKeys(Rule r, boolean sinks) {
    requireAttention(r, sinks);
    Shape q = r.operands().get(0).shape();
    Tensor statistics = r.operands().get(4);
    r.require(
        statistics.op() instanceof Op.AttentionQueries, "needs the result of AttentionQueries");
    r.require(
        statistics.shape().equals(Shape.of(q.elements() + 2 * q.d1() * q.d2())), "shapes differ");
    long elements = r.operands().get(1).shape().elements() + r.operands().get(2).shape().elements();
    return Layout.dense(DType.F32, Shape.of(elements + (sinks ? q.d2() : 0)));
  }

  private static void requireAttention(Rule r, boolean sinks) {
    r.require(r.operands().size() == (sinks ? 7 : 6), "needs %d operands".formatted(sinks ? 7 : 6));
    var forward = new ArrayList<>(r.operands().subList(0, 4));
    if (sinks) {
      forward.add(r.operands().get(6));
    }
    Layout unused = ShapeRules.result(new Op.Attention(1f, 0f, sinks), forward);
    r.require(
        FLOATS.contains(r.operands().get(1).type()) && FLOATS.contains(r.operands().get(2).type()),
        "k and v must be F32, F16 or BF16");
    r.require(unused.shape().equals(r.operands().get(5).shape()), "dy is not of attention's shape");
    requireHeads(r, r.operands().get(5));
  }

  /** [D, H, T] with dense heads. */
  private static void requireHeads(Rule r, Tensor x) {
    var _ = requireRows(r, x);
    Shape q = r.operands().get(0).shape();
    Shape v = r.operands().get(2).shape();
    r.require(x.shape().equals(Shape.of(v.d0(), q.d2(), q.d1())), x + " is not [D, H, T]");
  }

  private static Layout likeBoth(Rule r) {
    return likeAll(r, 2);
  }

  private static Layout likeAll(Rule r, int count) {
    Shape shape = requireRows(r, r.operand(0, count)).shape();
    for (int i = 1; i < count; i++) {
      r.require(requireRows(r, r.operand(i, count)).shape().equals(shape), "shapes differ");
    }
    return Layout.dense(DType.F32, shape);
  }

  private static Tensor requireRows(Rule r, Tensor x) {
    r.requireType(x, DType.F32);
    r.require(x.layout().rowsDense(), "rows of %s must be dense".formatted(x));
    return x;
  }

  /** A weight that is read as the file has it. */
  private static Tensor requireWeight(Rule r, Tensor w) {
    var _ = NativeLibraries.load();
    r.require(
        GatunKernels.gatun_gemm_supports(w.type().id()),
        "no gradient through weights of %s; those of F32, F16, BF16, Q2_K to Q6_K, Q4_0 to Q8_0,"
                .formatted(w.type())
            + " IQ4_NL, IQ4_XS and MXFP4 have one");
    r.require(
        w.layout().rowsDense() && !w.layout().transposed(), "rows of the weight must be dense");
    r.require(
        !(w.op() instanceof Op.Stored(StoredTensor stored))
            || stored.placement() != Placement.REPACKED,
        w + " is rearranged and cannot be read; load the model with its weights as they are");
    return w;
  }
}
