package io.gatun.tensor;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Who reads each node of a graph: other nodes, or the caller. */
final class Readers {
  private final Map<Integer, List<Tensor>> nodes = new HashMap<>();
  private final Set<Integer> outputs = new HashSet<>();

  Readers(Graph graph) {
    graph.outputs().forEach(output -> outputs.add(output.index()));
    for (Tensor node : graph.nodes()) {
      for (Tensor operand : node.operands()) {
        nodes.computeIfAbsent(operand.index(), _ -> new ArrayList<>()).add(node);
      }
    }
  }

  /** The nodes that read a node, in the order of computation. */
  List<Tensor> of(Tensor node) {
    return nodes.getOrDefault(node.index(), List.of());
  }

  /** Whether the caller reads a node. */
  boolean output(Tensor node) {
    return outputs.contains(node.index());
  }

  /** Whether one node reads a node and nobody else does. */
  boolean single(Tensor node) {
    return of(node).size() == 1 && !output(node);
  }

  /** What views and other arrangements of a node are of. */
  static Tensor source(Tensor node) {
    return switch (node.op()) {
      case Op.View _, Op.Reshape _, Op.Permute _ -> source(node.operands().getFirst());
      default -> node;
    };
  }

  /** Whether a node can be read later instead: parts of stores may be written meanwhile. */
  static boolean stays(Tensor node) {
    return switch (source(node).op()) {
      case Op.Stored _, Op.SetRows _ -> false;
      default -> true;
    };
  }
}
