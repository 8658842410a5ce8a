package io.gatun.tensor;

import static io.gatun.tensor.Backpropagation.dense;
import static io.gatun.tensor.Backpropagation.part;

import java.util.ArrayList;
import java.util.List;

/** Rules of {@link Gradients} for matrix products and attention. */
final class ProductGradients {
  private ProductGradients() {}

  static void matMul(Backpropagation pass, Tensor node, Tensor dy) {
    Tensor w = node.operands().get(0);
    Tensor x = node.operands().get(1);
    Tensor g = dense(dy);
    if (pass.needs(x)) {
      pass.give(x, pass.append(new Op.MatMulInput(), pass.value(w), g));
    }
    if (pass.needs(w)) {
      pass.give(w, shared(pass.append(new Op.MatMulWeight(), pass.value(x), g), w.shape()));
    }
  }

  /** Each matrix of w serves neighbouring matrices of x: their gradients are summed. */
  private static Tensor shared(Tensor each, Shape w) {
    Shape s = each.shape();
    Tensor sum = each;
    if (s.d2() != w.d2()) {
      long shared = s.d2() / w.d2();
      sum =
          sum.reshape(s.d0() * s.d1(), shared, w.d2(), s.d3())
              .sumTo(s.d0() * s.d1(), 1, w.d2(), s.d3());
    }
    if (s.d3() != w.d3()) {
      long matrices = s.d0() * s.d1() * w.d2();
      sum = sum.reshape(matrices, s.d3() / w.d3(), w.d3()).sumTo(matrices, 1, w.d3());
    }
    return sum == each ? each : sum.reshape(w.d0(), w.d1(), w.d2(), w.d3());
  }

  static void matMulId(Backpropagation pass, Tensor node, Tensor dy) {
    Tensor w = node.operands().get(0);
    Tensor x = node.operands().get(1);
    Tensor ids = pass.value(node.operands().get(2));
    Tensor g = dense(dy);
    if (pass.needs(x)) {
      Tensor each = pass.append(new Op.ExpertsInput(), pass.value(w), g, ids);
      pass.give(x, Backpropagation.reduce(each, x.shape()));
    }
    if (pass.needs(w)) {
      pass.give(w, pass.append(new Op.ExpertsWeight(w.shape().d2()), pass.value(x), g, ids));
    }
  }

  static void attention(Backpropagation pass, Tensor node, Tensor dy, Op.Attention op) {
    List<Tensor> forward = node.operands();
    Gradients.requireConstant(pass, node, forward.get(3));
    List<Tensor> operands = new ArrayList<>();
    forward.subList(0, 4).forEach(operand -> operands.add(pass.value(operand)));
    operands.add(pass.value(node));
    operands.add(dense(dy));
    if (op.sinks()) {
      operands.add(pass.value(forward.get(4)));
    }
    Tensor queries =
        pass.append(
            new Op.AttentionQueries(op.scale(), op.softcap(), op.sinks()),
            operands.toArray(Tensor[]::new));
    pass.give(forward.get(0), heads(queries, forward.get(0).shape(), 0));
    operands.set(4, queries);
    Tensor keys =
        pass.append(
            new Op.AttentionKeys(op.scale(), op.softcap(), op.sinks()),
            operands.toArray(Tensor[]::new));
    Shape k = forward.get(1).shape();
    Shape v = forward.get(2).shape();
    pass.give(forward.get(1), heads(keys, k, 0));
    pass.give(forward.get(2), heads(keys, v, k.elements()));
    if (op.sinks()) {
      Shape sinks = forward.get(4).shape();
      pass.give(forward.get(4), part(keys, sinks, k.elements() + v.elements()));
    }
  }

  /** [D, T, H] of numbers that lie as [D, H, T], as projections made them. */
  private static Tensor heads(Tensor flat, Shape s, long first) {
    long head = Float.BYTES * s.d0();
    return flat.view(s, head * s.d2(), head, head * s.d2() * s.d1(), Float.BYTES * first);
  }
}
