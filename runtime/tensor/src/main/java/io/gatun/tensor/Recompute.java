package io.gatun.tensor;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Values of the forward pass for the rules of {@link Gradients}: the node itself where the plan
 * keeps it, else a node that computes the same again from kept ones, made when it is first needed.
 * GGML then frees the first one after its last use in the forward pass.
 */
final class Recompute {
  private final GraphBuilder graph;
  private final boolean[] kept;
  private final int[] segments;
  private final Map<Integer, Tensor> again = new HashMap<>();
  private int current;

  Recompute(GraphBuilder graph, RecomputePlan plan) {
    this.graph = graph;
    List<Tensor> nodes = graph.nodes();
    this.kept = new boolean[nodes.size()];
    this.segments = new int[nodes.size()];
    int segment = 0;
    for (Tensor node : nodes) {
      int i = node.index();
      boolean boundary =
          segment < plan.boundaries().size() && plan.boundaries().get(segment).index() == i;
      // A boundary ends its segment; what follows belongs to the next.
      segments[i] = segment;
      segment += boundary ? 1 : 0;
      boolean outside = segments[i] == 0 || segments[i] == plan.boundaries().size();
      kept[i] = boundary || outside || never(node.op()) || (plan.products() && product(node.op()));
      for (Tensor operand : node.operands()) {
        // What another segment reads lives until then in any case.
        kept[operand.index()] |= segments[operand.index()] != segments[i];
      }
    }
    current = segment;
  }

  /** Says which node the backward pass has reached. */
  void reach(Tensor node) {
    if (segments[node.index()] != current) {
      current = segments[node.index()];
      again.clear();
    }
  }

  /** A node with the same values as one of the forward pass. */
  Tensor value(Tensor node) {
    if (kept[node.index()]) {
      return node;
    }
    Tensor known = again.get(node.index());
    if (known == null) {
      List<Tensor> operands = new ArrayList<>();
      node.operands().forEach(operand -> operands.add(value(operand)));
      known = graph.append(node.op(), operands.toArray(Tensor[]::new));
      again.put(node.index(), known);
    }
    return known;
  }

  /** Leaves and writes happen once. */
  private static boolean never(Op op) {
    return op instanceof Op.Input || op instanceof Op.Stored || op instanceof Op.Write;
  }

  private static boolean product(Op op) {
    return op instanceof Op.MatMul || op instanceof Op.MatMulId || op instanceof Op.Attention;
  }
}
