package io.gatun.tensor;

import static io.gatun.tensor.Backpropagation.dense;
import static io.gatun.tensor.Backpropagation.part;
import static io.gatun.tensor.Backpropagation.reduce;

import io.gatun.tensor.Op.BinaryKind;
import io.gatun.tensor.Op.GluKind;

/** Rules of {@link Gradients} for ops that work on elements or rows. */
final class RowGradients {
  private RowGradients() {}

  static void binary(Backpropagation pass, Tensor node, Tensor dy, BinaryKind kind) {
    Tensor a = node.operands().get(0);
    Tensor b = node.operands().get(1);
    switch (kind) {
      case ADD -> {
        pass.give(a, dy);
        giveReduced(pass, b, dy);
      }
      case SUB -> {
        pass.give(a, dy);
        if (pass.needs(b)) {
          pass.give(b, dense(reduce(dy, b.shape())).scale(-1f));
        }
      }
      case MUL -> {
        if (pass.needs(a)) {
          pass.give(a, dense(dy).mul(pass.floats(b)));
        }
        if (pass.needs(b)) {
          giveReduced(pass, b, dense(dy).mul(pass.floats(a)));
        }
      }
      case DIV -> {
        Tensor da = dense(dy).div(pass.floats(b));
        pass.give(a, da);
        if (pass.needs(b)) {
          pass.give(b, reduce(da.mul(pass.floats(node)), b.shape()).scale(-1f));
        }
      }
    }
  }

  private static void giveReduced(Backpropagation pass, Tensor operand, Tensor gradient) {
    if (pass.needs(operand)) {
      pass.give(operand, reduce(gradient, operand.shape()));
    }
  }

  static void norm(Backpropagation pass, Tensor node, Tensor dy, boolean centred, float epsilon) {
    ofOperand(pass, node, dy, new Op.NormBack(centred, epsilon));
  }

  /** Ops whose gradient needs that of the result, and the operand. */
  static void ofOperand(Backpropagation pass, Tensor node, Tensor dy, Op.Backward op) {
    Tensor x = node.operands().getFirst();
    pass.give(x, pass.append(op, dense(dy), pass.value(x)));
  }

  static void rope(Backpropagation pass, Tensor node, Tensor dy, RopeParameters parameters) {
    Tensor[] operands = node.operands().stream().map(pass::value).toArray(Tensor[]::new);
    if (operands.length == 3) {
      Gradients.requireConstant(pass, node, node.operands().get(2));
    }
    operands[0] = dense(dy);
    pass.give(node.operands().getFirst(), pass.append(new Op.RopeBack(parameters), operands));
  }

  static void softMax(Backpropagation pass, Tensor node, Tensor dy, Op.SoftMax op) {
    if (op.masked()) {
      Gradients.requireConstant(pass, node, node.operands().get(1));
    }
    Tensor y = pass.value(node);
    Tensor g = dense(dy);
    Tensor x = node.operands().getFirst();
    if (pass.needs(x)) {
      pass.give(x, pass.append(new Op.SoftMaxBack(op.scale()), g, y));
    }
    if (op.sinks() && pass.needs(node.operands().getLast())) {
      // The sink's own share is what the others leave of 1, and its value is 0.
      Shape rows = y.shape().with(0, 1);
      Tensor share = pass.append(new Op.Scale(1f, -1f), reduce(y, rows));
      Tensor sum = share.mul(reduce(g.mul(y), rows));
      long heads = y.shape().d2();
      pass.give(node.operands().getLast(), reduce(sum, new Shape(1, 1, heads, 1)).reshape(heads));
    }
  }

  static void glu(Backpropagation pass, Tensor node, Tensor dy, GluKind kind) {
    Tensor gate = node.operands().get(0);
    Tensor up = node.operands().get(1);
    Tensor both = pass.append(new Op.GluBack(kind), dense(dy), pass.value(gate), pass.value(up));
    pass.give(gate, part(both, gate.shape(), 0));
    pass.give(up, part(both, up.shape(), gate.shape().elements()));
  }

  static void crossEntropy(Backpropagation pass, Tensor node, Tensor dy) {
    Tensor logits = node.operands().get(0);
    Tensor weights = node.operands().get(2);
    Gradients.requireConstant(pass, node, weights);
    pass.give(
        logits,
        pass.append(
            new Op.CrossEntropyBack(),
            pass.value(logits),
            node.operands().get(1),
            pass.value(weights),
            dense(dy)));
  }
}
