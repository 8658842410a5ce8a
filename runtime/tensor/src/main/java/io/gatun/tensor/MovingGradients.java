package io.gatun.tensor;

import static io.gatun.tensor.Backpropagation.dense;

/** Rules of {@link Gradients} for ops that move, repeat or choose values. */
final class MovingGradients {
  private MovingGradients() {}

  static void getRows(Backpropagation pass, Tensor node, Tensor dy) {
    Tensor table = node.operands().get(0);
    Tensor ids = dense(pass.value(node.operands().get(1)));
    pass.give(table, pass.append(new Op.ScatterRows(table.shape().d1()), dense(dy), ids));
  }

  static void addId(Backpropagation pass, Tensor node, Tensor dy) {
    Tensor table = node.operands().get(1);
    pass.give(node.operands().get(0), dy);
    if (pass.needs(table)) {
      Tensor ids = dense(pass.value(node.operands().get(2)));
      long pairs = ids.shape().elements();
      Tensor rows = dense(dy).reshape(dy.shape().d0(), pairs);
      Op scatter = new Op.ScatterRows(table.shape().d1());
      pass.give(table, pass.append(scatter, rows, ids.reshape(pairs)));
    }
  }

  /** Each element of the operand was added to one of the result. */
  static void repeat(Backpropagation pass, Tensor node, Tensor dy) {
    Shape s = node.operands().getFirst().shape();
    pass.give(node.operands().getFirst(), dense(dy).repeat(s.d0(), s.d1(), s.d2(), s.d3()));
  }

  static void concat(Backpropagation pass, Tensor node, Tensor dy, int axis) {
    Tensor a = node.operands().get(0);
    Tensor b = node.operands().get(1);
    Tensor g = dense(dy);
    pass.give(a, g.view(a.shape(), 0));
    pass.give(b, g.view(b.shape(), a.shape().get(axis) * g.layout().stride(axis)));
  }

  static void view(Backpropagation pass, Tensor node, Tensor dy, Op.View v) {
    Tensor x = node.operands().getFirst();
    if (!x.layout().dense()) {
      throw Gradients.none(node, "it looks into %s, which is not dense".formatted(x));
    }
    // Gradients are F32: strides grow where the values are halves.
    int wider = Float.BYTES / x.type().blockBytes();
    Op.View window =
        new Op.View(v.shape(), v.s1() * wider, v.s2() * wider, v.s3() * wider, v.offset() * wider);
    Tensor g = dy.layout().rowsDense() ? dy : dy.dense();
    pass.give(x, pass.append(new Op.ScatterView(window, x.shape()), g));
  }

  static void reshape(Backpropagation pass, Tensor node, Tensor dy) {
    Tensor x = node.operands().getFirst();
    Shape s = x.shape();
    pass.give(x, dense(dy).reshape(s.d0(), s.d1(), s.d2(), s.d3()));
  }

  static void permute(Backpropagation pass, Tensor node, Tensor dy, Op.Permute p) {
    int[] to = {p.to0(), p.to1(), p.to2(), p.to3()};
    int[] from = new int[4];
    for (int axis = 0; axis < 4; axis++) {
      from[to[axis]] = axis;
    }
    pass.give(node.operands().getFirst(), dy.permute(from[0], from[1], from[2], from[3]));
  }
}
