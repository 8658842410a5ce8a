package io.gatun.tensor;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** What the rules of {@link Gradients} need to know and to do. */
final class Backpropagation {
  private final GraphBuilder graph;
  private final boolean[] needs;
  private final Recompute recompute;
  private final Map<Integer, Tensor> gradients = new HashMap<>();

  /**
   * @param needs by {@link Tensor#index()}: whether a parameter takes part in the value
   */
  Backpropagation(GraphBuilder graph, boolean[] needs, Recompute recompute) {
    this.graph = graph;
    this.needs = needs;
    this.recompute = recompute;
  }

  /** Whether the gradient of an operand is wanted. */
  boolean needs(Tensor operand) {
    return needs[operand.index()];
  }

  /** The values of a node of the forward pass. */
  Tensor value(Tensor node) {
    return recompute.value(node);
  }

  /** The values of a node as F32. */
  Tensor floats(Tensor node) {
    Tensor value = value(node);
    return value.type() == DType.F32 ? value : value.cast(DType.F32);
  }

  Tensor append(Op op, Tensor... operands) {
    return graph.append(op, operands);
  }

  /** Adds to the gradient of an operand: tied and reused tensors sum what all their uses give. */
  void give(Tensor operand, Tensor gradient) {
    if (!needs(operand)) {
      return;
    }
    if (gradient.type() != DType.F32 || !gradient.shape().equals(operand.shape())) {
      throw new AssertionError("%s is no gradient of %s".formatted(gradient, operand));
    }
    gradients.merge(
        operand.index(), gradient, (sum, more) -> withDenseRows(sum).add(withDenseRows(more)));
  }

  /** The sum so far; empty when no use of the node gave any. */
  Optional<Tensor> gradient(Tensor node) {
    return Optional.ofNullable(gradients.get(node.index()));
  }

  static Tensor dense(Tensor x) {
    return x.layout().dense() ? x : x.dense();
  }

  /** Sums over what was repeated, rows first: these have a thread each. */
  static Tensor reduce(Tensor x, Shape to) {
    Tensor rows = withDenseRows(x);
    if (rows.shape().equals(to)) {
      return rows;
    }
    if (to.d0() == 1 && rows.shape().d0() > 1 && rows.shape().rows() > to.rows()) {
      rows = rows.sumTo(1, rows.shape().d1(), rows.shape().d2(), rows.shape().d3());
    }
    return rows.sumTo(to.d0(), to.d1(), to.d2(), to.d3());
  }

  /** A part of a flat tensor as a dense one. */
  static Tensor part(Tensor flat, Shape shape, long first) {
    Layout dense = Layout.dense(DType.F32, shape);
    return flat.view(shape, dense.s1(), dense.s2(), dense.s3(), Float.BYTES * first);
  }

  private static Tensor withDenseRows(Tensor x) {
    return x.layout().rowsDense() ? x : x.dense();
  }
}
