package io.gatun.tensor;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Collects nodes into a {@link Graph}. Nodes are computed in the order they were made, so a write
 * into the KV cache happens before everything that was written after it.
 *
 * <p>Not thread-safe; use one per graph.
 */
public final class GraphBuilder {
  private final List<Tensor> nodes = new ArrayList<>();
  private final Map<StoredTensor, Tensor> stored = new HashMap<>();
  private final List<Tensor> outputs = new ArrayList<>();

  /** An F32 or F16 input that the caller writes before each compute. */
  public Tensor input(String name, DType type, long... lengths) {
    return leaf(new Op.Input(name, Long.MAX_VALUE), Layout.dense(type, Shape.of(lengths)), name);
  }

  /**
   * An I32 or I64 input whose values lie in {@code [0, bound)}: checked at each write, so that no
   * index can reach past its table.
   */
  public Tensor indices(String name, DType type, long bound, long... lengths) {
    if (type != DType.I32 && type != DType.I64) {
      throw new ShapeException("input " + name + ": indices are I32 or I64, not " + type);
    }
    return leaf(new Op.Input(name, bound), Layout.dense(type, Shape.of(lengths)), name);
  }

  /** A stored tensor as a leaf; the same one gives the same node. */
  public Tensor stored(StoredTensor tensor) {
    return stored.computeIfAbsent(tensor, t -> leaf(new Op.Stored(t), t.layout(), t.name()));
  }

  /** Attention over keys and values; see {@link Op.Attention} for the shapes. */
  public Tensor attention(Tensor q, Tensor k, Tensor v, Tensor mask, float scale, float softcap) {
    return append(new Op.Attention(scale, softcap, false), q, k, v, mask);
  }

  /** {@link #attention} with one sink logit per head, F32 [H]. */
  public Tensor attentionWithSinks(
      Tensor q, Tensor k, Tensor v, Tensor mask, Tensor sinks, float scale, float softcap) {
    return append(new Op.Attention(scale, softcap, true), q, k, v, mask, sinks);
  }

  /** Marks a node whose values are read after each compute. */
  public void output(Tensor tensor) {
    requireOwn(tensor);
    outputs.add(tensor);
  }

  /** Ends the collection: what no output and no write into a store needs is left out. */
  public Graph build() {
    if (outputs.isEmpty()) {
      throw new ShapeException("a graph needs at least one output");
    }
    boolean[] live = new boolean[nodes.size()];
    for (Tensor output : outputs) {
      live[output.index()] = true;
    }
    for (int i = nodes.size() - 1; i >= 0; i--) {
      Tensor node = nodes.get(i);
      live[i] |= node.op() instanceof Op.Write;
      if (live[i]) {
        node.operands().forEach(operand -> live[operand.index()] = true);
      }
    }
    List<Tensor> kept = new ArrayList<>();
    for (Tensor node : nodes) {
      if (live[node.index()]) {
        kept.add(node);
      }
    }
    return new Graph(List.copyOf(kept), List.copyOf(outputs));
  }

  /** The nodes so far, in the order of computation. */
  List<Tensor> nodes() {
    return nodes;
  }

  Tensor append(Op op, Tensor... operands) {
    for (Tensor operand : operands) {
      requireOwn(operand);
    }
    List<Tensor> list = List.of(operands);
    Layout layout = ShapeRules.result(op, list);
    Tensor node = new Tensor(this, nodes.size(), op, list, layout, "");
    nodes.add(node);
    return node;
  }

  Tensor rename(Tensor tensor, String name) {
    requireOwn(tensor);
    Tensor named =
        new Tensor(this, tensor.index(), tensor.op(), tensor.operands(), tensor.layout(), name);
    nodes.set(tensor.index(), named);
    return named;
  }

  private Tensor leaf(Op op, Layout layout, String name) {
    Tensor node = new Tensor(this, nodes.size(), op, List.of(), layout, name);
    nodes.add(node);
    return node;
  }

  private void requireOwn(Tensor tensor) {
    if (tensor.graph() != this) {
      throw new IllegalArgumentException("tensor " + tensor + " belongs to another graph");
    }
  }
}
