package io.gatun.tensor;

import java.util.List;
import java.util.Set;

/**
 * What each op accepts and what it gives. GGML checks the same things with assertions that end the
 * process; here they end in a {@link ShapeException} before any native call.
 *
 * @source ggml 0.23.0, src/ggml.c (constructors) and src/ggml-cpu/ops.cpp (kernels)
 */
final class ShapeRules {
  private static final Set<DType> FLOATS = Set.of(DType.F32, DType.F16, DType.BF16);

  /** What set_rows cannot write: types without a row quantiser that works without importances. */
  private static final Set<DType> UNWRITABLE =
      Set.of(
          DType.IQ1_S,
          DType.IQ1_M,
          DType.IQ2_XXS,
          DType.IQ2_XS,
          DType.IQ2_S,
          DType.IQ3_XXS,
          DType.IQ3_S);

  private ShapeRules() {}

  /** The layout of an op's result, or the exception that names what does not fit. */
  static Layout result(Op op, List<Tensor> operands) {
    Rule r = new Rule(op, operands);
    return switch (op) {
      case Op.Input _, Op.Stored _ -> throw r.broken("leaves are made by the builder");
      case Op.GetRows _ -> getRows(r);
      case Op.SetRows _ -> setRows(r);
      case Op.Binary _ -> binary(r);
      case Op.AddId _ -> addId(r);
      case Op.Scale _ -> elementwise(r, r.x().layout().denseAbove(0));
      case Op.Unary _ -> elementwise(r, r.x().layout().denseAbove(1));
      case Op.Sqrt _ -> elementwise(r, r.x().layout().dense());
      case Op.Clamp(float low, float high) -> {
        r.require(low <= high, "low %s is above high %s".formatted(low, high));
        yield elementwise(r, r.x().layout().rowsDense());
      }
      case Op.RmsNorm(float epsilon) -> norm(r, epsilon);
      case Op.LayerNorm(float epsilon) -> norm(r, epsilon);
      case Op.MatMul _ -> matMul(r);
      case Op.MatMulId _ -> matMulId(r);
      case Op.Rope(RopeParameters parameters) -> rope(r, parameters);
      case Op.SoftMax softMax -> softMax(r, softMax);
      case Op.Attention attention -> attention(r, attention);
      case Op.Glu _ -> glu(r);
      case Op.GluFused _ -> gluFused(r);
      case Op.SumRows _ -> {
        r.requireType(r.x(), DType.F32);
        yield Layout.dense(DType.F32, r.x().shape().with(0, 1));
      }
      case Op.ArgSort _ -> {
        r.requireType(r.x(), DType.F32);
        r.require(r.x().layout().rowsDense(), "rows must be dense");
        r.require(r.x().shape().d0() <= Integer.MAX_VALUE, "rows are too long");
        yield Layout.dense(DType.I32, r.x().shape());
      }
      case Op.ArgMax _ -> {
        r.requireType(r.x(), DType.F32);
        r.require(r.x().layout().dense(), "must be dense");
        r.require(r.x().shape().rows() == r.x().shape().d1(), "must be a matrix");
        yield Layout.dense(DType.I32, Shape.of(r.x().shape().d1()));
      }
      case Op.SumTo(Shape shape) -> {
        r.requireType(r.x(), DType.F32);
        r.require(r.x().layout().rowsDense(), "rows must be dense");
        r.require(shape.repeatsInto(r.x().shape()), shape + " does not repeat into the operand");
        yield Layout.dense(DType.F32, shape);
      }
      case Op.Repeat(Shape shape) -> {
        r.requireType(r.x(), DType.F32);
        r.require(r.x().layout().dense(), "must be dense");
        r.require(r.x().shape().repeatsInto(shape), "does not repeat into " + shape);
        yield Layout.dense(DType.F32, shape);
      }
      case Op.CrossEntropy _ -> BackwardRules.crossEntropy(r, 3);
      case Op.SumSquares _ -> {
        r.requireType(r.x(), DType.F32);
        r.require(r.x().layout().dense(), "must be dense");
        yield Layout.dense(
            DType.F32, Shape.of(Math.ceilDiv(r.x().shape().elements(), Op.SUM_VALUES)));
      }
      case Op.Dropout(float rate, int _) -> {
        Tensor x = r.operand(0, 2);
        r.requireType(x, DType.F32);
        r.requireType(r.operand(1, 2), DType.I32);
        r.require(rate >= 0 && rate < 1, "the rate must be in [0, 1), got " + rate);
        r.require(x.layout().rowsDense(), "rows must be dense");
        r.require(r.operand(1, 2).layout().dense(), "the key must be dense");
        r.require(r.operand(1, 2).shape().equals(Shape.of(2)), "the key must be [2]");
        yield Layout.dense(DType.F32, x.shape());
      }
      case Op.Blend _ -> WriteRules.blend(r);
      case Op.Update(Op.UpdateRule rule) -> WriteRules.update(r, rule);
      case Op.Backward backward -> BackwardRules.result(backward, r);
      case Op.Concat(int axis) -> concat(r, axis);
      case Op.View view -> view(r, view);
      case Op.Reshape(Shape shape) -> {
        r.require(r.x().layout().dense(), "only dense tensors can be reshaped");
        r.requireSameElements(shape);
        yield Layout.dense(r.x().type(), shape);
      }
      case Op.Permute p -> permute(r, p);
      case Op.Dense(Shape shape) -> {
        r.requireSameElements(shape);
        r.require(
            FLOATS.contains(r.x().type()) || r.x().type() == DType.I32,
            "cannot copy " + r.x().type());
        yield Layout.dense(r.x().type(), shape);
      }
      case Op.Cast(DType type) -> {
        r.require(FLOATS.contains(r.x().type()), "can only cast from F32, F16 and BF16");
        r.require(FLOATS.contains(type), "can only cast to F32, F16 and BF16, not " + type);
        yield Layout.dense(type, r.x().shape());
      }
    };
  }

  private static Layout getRows(Rule r) {
    Tensor table = r.operand(0, 2);
    Tensor ids = r.operand(1, 2);
    r.requireType(ids, DType.I32);
    r.require(table.layout().rowsDense(), "rows of the table must be dense");
    r.require(
        table.shape().d2() == ids.shape().d1() && table.shape().d3() == ids.shape().d2(),
        "outer axes of table and ids differ");
    r.require(ids.shape().d3() == 1, "ids have at most 3 axes");
    r.requireBound(ids, table.shape().d1());
    DType type = table.type() == DType.I32 ? DType.I32 : DType.F32;
    return Layout.dense(
        type, new Shape(table.shape().d0(), ids.shape().d0(), ids.shape().d1(), ids.shape().d2()));
  }

  private static Layout setRows(Rule r) {
    Tensor table = r.operand(0, 3);
    Tensor rows = r.operand(1, 3);
    Tensor ids = r.operand(2, 3);
    r.require(table.op() instanceof Op.Stored, "the table must be a stored tensor");
    r.require(!UNWRITABLE.contains(table.type()), "cannot write rows of " + table.type());
    r.require(rows.type() == DType.F32 || rows.type() == DType.F16, "rows must be F32 or F16");
    r.require(table.type() == rows.type() || rows.type() == DType.F32, "converts only from F32");
    r.require(ids.type() == DType.I64 || ids.type() == DType.I32, "ids must be I64 or I32");
    r.require(table.shape().d0() == rows.shape().d0(), "row lengths differ");
    r.require(rows.layout().rowsDense(), "rows must be dense");
    r.require(ids.layout().dense(), "ids must be dense");
    r.require(rows.shape().d1() == ids.shape().d0(), "one id per row is needed");
    r.require(
        table.shape().d2() == 1
            && table.shape().d3() == 1
            && rows.shape().d2() == 1
            && rows.shape().d3() == 1,
        "table and rows must be matrices");
    r.requireBound(ids, table.shape().d1());
    return table.layout();
  }

  private static Layout binary(Rule r) {
    Tensor a = r.operand(0, 2);
    Tensor b = r.operand(1, 2);
    r.require(FLOATS.contains(a.type()) && FLOATS.contains(b.type()), "needs float operands");
    // The CPU kernels know these pairs: equal types, and F32 as the second operand.
    r.require(a.type() == b.type() || b.type() == DType.F32, "this pair of types is not known");
    r.require(b.shape().repeatsInto(a.shape()), "the second shape does not repeat into the first");
    r.require(a.layout().rowsDense() && b.layout().rowsDense(), "rows must be dense");
    return Layout.dense(a.type(), a.shape());
  }

  private static Layout addId(Rule r) {
    Tensor x = r.operand(0, 3);
    Tensor table = r.operand(1, 3);
    Tensor ids = r.operand(2, 3);
    r.requireType(x, DType.F32);
    r.requireType(table, DType.F32);
    r.requireType(ids, DType.I32);
    r.require(x.shape().d0() == table.shape().d0(), "row lengths differ");
    r.require(
        x.shape().d1() == ids.shape().d0() && x.shape().d2() == ids.shape().d1(),
        "one id per row is needed");
    r.require(x.layout().rowsDense() && table.layout().rowsDense(), "rows must be dense");
    r.requireBound(ids, table.shape().d1());
    return Layout.dense(DType.F32, x.shape());
  }

  private static Layout elementwise(Rule r, boolean layoutFits) {
    r.require(r.x().type() == DType.F32, "needs F32");
    r.require(layoutFits, "the layout has gaps that the kernel does not handle");
    return Layout.dense(r.x().type(), r.x().shape());
  }

  private static Layout norm(Rule r, float epsilon) {
    r.requireType(r.x(), DType.F32);
    r.require(epsilon >= 0f && Float.isFinite(epsilon), "epsilon is " + epsilon);
    r.require(r.x().layout().rowsDense(), "rows must be dense");
    return Layout.dense(DType.F32, r.x().shape());
  }

  private static Layout matMul(Rule r) {
    Tensor w = r.operand(0, 2);
    Tensor x = r.operand(1, 2);
    r.require(w.shape().d0() == x.shape().d0(), "inner lengths differ");
    r.require(
        x.shape().d2() % w.shape().d2() == 0 && x.shape().d3() % w.shape().d3() == 0,
        "the weight's outer axes do not repeat into those of x");
    r.require(!w.layout().transposed(), "the weight is transposed");
    r.require(w.layout().rowsDense(), "rows of the weight must be dense");
    r.require(x.layout().s0() == x.type().blockBytes(), "rows of x must be dense");
    r.require(computable(w.type()), "no matrix product for " + w.type());
    r.require(
        x.type() == DType.F32 || (x.type() == DType.F16 && w.type() == DType.F16), "x must be F32");
    return Layout.dense(
        DType.F32, new Shape(w.shape().d1(), x.shape().d1(), x.shape().d2(), x.shape().d3()));
  }

  private static Layout matMulId(Rule r) {
    Tensor w = r.operand(0, 3);
    Tensor x = r.operand(1, 3);
    Tensor ids = r.operand(2, 3);
    r.requireType(x, DType.F32);
    r.requireType(ids, DType.I32);
    r.require(w.shape().d0() == x.shape().d0(), "inner lengths differ");
    r.require(w.shape().d3() == 1 && x.shape().d3() == 1, "at most 3 axes");
    r.require(ids.shape().d2() == 1 && ids.shape().d3() == 1, "ids must be a matrix");
    r.require(x.shape().d2() == ids.shape().d1(), "one row of ids per token is needed");
    r.require(ids.shape().d0() % x.shape().d1() == 0, "ids and x differ in experts per token");
    r.require(w.layout().dense() && x.layout().rowsDense(), "weights and rows must be dense");
    r.require(computable(w.type()), "no matrix product for " + w.type());
    r.requireBound(ids, w.shape().d2());
    return Layout.dense(DType.F32, Shape.of(w.shape().d1(), ids.shape().d0(), x.shape().d2()));
  }

  private static Layout rope(Rule r, RopeParameters p) {
    Tensor x = r.operands().getFirst();
    Tensor positions = r.operands().get(1);
    r.require(x.type() == DType.F32 || x.type() == DType.F16, "needs F32 or F16");
    r.requireType(positions, DType.I32);
    r.require(positions.shape().equals(Shape.of(x.shape().d2())), "one position per token");
    r.require(p.dims() > 0 && p.dims() % 2 == 0, "dims must be even, got " + p.dims());
    r.require(p.dims() <= x.shape().d0(), "dims %d exceed the head".formatted(p.dims()));
    r.require(x.layout().rowsDense(), "heads must be dense");
    r.require(
        p.base() > 0 && Float.isFinite(p.base()) && Float.isFinite(p.scale()),
        "base %s, scale %s".formatted(p.base(), p.scale()));
    if (r.operands().size() == 3) {
      Tensor factors = r.operands().get(2);
      r.requireType(factors, DType.F32);
      r.require(factors.layout().dense(), "factors must be dense");
      r.require(factors.shape().d0() >= p.dims() / 2, "too few frequency factors");
    }
    return Layout.dense(x.type(), x.shape());
  }

  private static Layout softMax(Rule r, Op.SoftMax op) {
    Tensor x = r.operands().getFirst();
    r.requireType(x, DType.F32);
    r.require(x.layout().dense(), "must be dense");
    r.require(op.masked() || op.maxBias() == 0f, "a bias slope needs a mask");
    if (op.masked()) {
      Tensor mask = r.operands().get(1);
      r.require(mask.type() == DType.F32 || mask.type() == DType.F16, "mask must be F32 or F16");
      r.require(mask.layout().dense(), "mask must be dense");
      r.require(mask.shape().d0() == x.shape().d0(), "mask length differs");
      r.require(mask.shape().d1() >= x.shape().d1(), "mask has too few rows");
      r.require(
          x.shape().d2() % mask.shape().d2() == 0 && x.shape().d3() % mask.shape().d3() == 0,
          "mask does not repeat into x");
    }
    if (op.sinks()) {
      r.requireSinks(r.operands().getLast(), x.shape().d2());
    }
    return Layout.dense(DType.F32, x.shape());
  }

  private static Layout attention(Rule r, Op.Attention op) {
    Tensor q = r.operands().getFirst();
    Tensor k = r.operands().get(1);
    Tensor v = r.operands().get(2);
    Tensor mask = r.operands().get(3);
    r.requireType(q, DType.F32);
    r.requireType(mask, DType.F16);
    r.require(computable(k.type()) && computable(v.type()), "cannot attend over these types");
    r.require(q.shape().d0() == k.shape().d0(), "head dims of q and k differ");
    r.require(k.shape().d1() == v.shape().d1(), "k and v differ in length");
    r.require(k.shape().d2() == v.shape().d2(), "k and v differ in heads");
    r.require(q.shape().d2() % k.shape().d2() == 0, "heads are no multiple of KV heads");
    r.require(q.shape().d3() == 1 && k.shape().d3() == 1 && v.shape().d3() == 1, "3 axes");
    r.require(
        mask.shape().equals(Shape.of(k.shape().d1(), q.shape().d1())),
        "mask must be [S, T] = [%d, %d]".formatted(k.shape().d1(), q.shape().d1()));
    r.require(mask.layout().dense(), "mask must be dense");
    r.require(
        q.layout().rowsDense() && k.layout().rowsDense() && v.layout().rowsDense(),
        "heads must be dense");
    if (op.sinks()) {
      r.requireSinks(r.operands().getLast(), q.shape().d2());
    }
    return Layout.dense(DType.F32, Shape.of(v.shape().d0(), q.shape().d2(), q.shape().d1()));
  }

  private static Layout glu(Rule r) {
    Tensor gate = r.operand(0, 2);
    Tensor up = r.operand(1, 2);
    r.requireType(gate, DType.F32);
    r.requireType(up, DType.F32);
    r.require(gate.shape().equals(up.shape()), "shapes differ");
    r.require(gate.layout().denseAbove(1) && up.layout().denseAbove(1), "rows must be dense");
    return Layout.dense(DType.F32, gate.shape());
  }

  private static Layout gluFused(Rule r) {
    r.requireType(r.x(), DType.F32);
    r.require(r.x().shape().d0() % 2 == 0, "the row length must be even");
    r.require(r.x().layout().denseAbove(1), "rows must be dense");
    return Layout.dense(DType.F32, r.x().shape().with(0, r.x().shape().d0() / 2));
  }

  private static Layout concat(Rule r, int axis) {
    Tensor a = r.operand(0, 2);
    Tensor b = r.operand(1, 2);
    r.require(a.type() == b.type() && a.type() == DType.F32, "needs two F32 tensors");
    r.require(a.layout().rowsDense() && b.layout().rowsDense(), "rows must be dense");
    r.require(
        a.shape().with(axis, 1).equals(b.shape().with(axis, 1)),
        "shapes differ on another axis than " + axis);
    return Layout.dense(DType.F32, a.shape().with(axis, a.shape().get(axis) + b.shape().get(axis)));
  }

  private static Layout view(Rule r, Op.View view) {
    Layout source = r.x().layout();
    Layout window =
        new Layout(source.type(), view.shape(), source.s0(), view.s1(), view.s2(), view.s3());
    r.require(
        view.offset() >= 0 && view.s1() >= 0 && view.s2() >= 0 && view.s3() >= 0,
        "offset and strides must not be negative");
    r.require(source.rowsDense(), "rows must be dense");
    r.require(
        view.offset() % source.type().blockBytes() == 0,
        "offset %d is inside an element".formatted(view.offset()));
    r.require(
        view.offset() + window.bytes() <= source.bytes(),
        "window %s at %d ends behind the tensor's %d bytes"
            .formatted(view.shape(), view.offset(), source.bytes()));
    return window;
  }

  private static Layout permute(Rule r, Op.Permute p) {
    int[] to = {p.to0(), p.to1(), p.to2(), p.to3()};
    long[] lengths = new long[4];
    long[] strides = new long[4];
    for (int axis = 0; axis < 4; axis++) {
      r.require(to[axis] >= 0 && to[axis] < 4, "axes are 0..3");
      r.require(lengths[to[axis]] == 0, "axis %d is given twice".formatted(to[axis]));
      lengths[to[axis]] = r.x().shape().get(axis);
      strides[to[axis]] = r.x().layout().stride(axis);
    }
    return new Layout(
        r.x().type(), Shape.of(lengths), strides[0], strides[1], strides[2], strides[3]);
  }

  private static boolean computable(DType type) {
    return type.quantized() ? type != DType.Q8_1 && type != DType.Q8_K : FLOATS.contains(type);
  }

  /** An op with its operands, and the ways to say what is wrong with them. */
  record Rule(Op op, List<Tensor> operands) {

    Tensor x() {
      return operand(0, 1);
    }

    Tensor operand(int index, int count) {
      require(operands.size() == count, "needs %d operands".formatted(count));
      return operands.get(index);
    }

    void require(boolean holds, String rule) {
      if (!holds) {
        throw broken(rule);
      }
    }

    void requireType(Tensor tensor, DType type) {
      if (tensor.type() != type) {
        throw broken("%s must be %s".formatted(tensor, type));
      }
    }

    void requireSameElements(Shape shape) {
      require(
          shape.elements() == x().shape().elements(),
          "%s and %s differ in elements".formatted(x().shape(), shape));
    }

    void requireSinks(Tensor sinks, long heads) {
      requireType(sinks, DType.F32);
      require(sinks.shape().equals(Shape.of(heads)), "one sink per head is needed");
      require(sinks.layout().dense(), "sinks must be dense");
    }

    /** Indices that the caller writes must be bounded by the table they select from. */
    void requireBound(Tensor ids, long rows) {
      if (ids.op() instanceof Op.Input input && input.bound() > rows) {
        throw broken(
            "input %s may hold indices up to %d but there are %d rows"
                .formatted(input.name(), input.bound() - 1, rows));
      }
    }

    ShapeException broken(String rule) {
      return new ShapeException("%s of %s: %s".formatted(op, operands, rule));
    }
  }
}
