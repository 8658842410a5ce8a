package io.gatun.tensor;

import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.Collectors;

/**
 * A finished graph: its live nodes in the order of computation, and the nodes to be read. A value;
 * share it freely. {@link Backend#compile} makes it runnable.
 */
public record Graph(List<Tensor> nodes, List<Tensor> outputs) {

  /** The input with a given name. */
  public Tensor input(String name) {
    for (Tensor node : nodes) {
      if (node.op() instanceof Op.Input input && input.name().equals(name)) {
        return node;
      }
    }
    throw new NoSuchElementException("the graph has no input named " + name);
  }

  /** Whether an input is used; one that nothing reads is left out of the graph. */
  public boolean hasInput(String name) {
    return nodes.stream()
        .anyMatch(node -> node.op() instanceof Op.Input input && input.name().equals(name));
  }

  /** Whether it has no backward pass. */
  boolean forward() {
    return nodes.stream().noneMatch(node -> node.op() instanceof Op.Backward);
  }

  /** Multiply-adds of all matrix products and attentions, twice: the usual estimate of work. */
  public long flops() {
    long sum = 0;
    for (Tensor node : nodes) {
      sum +=
          switch (node.op()) {
            case Op.MatMul _, Op.MatMulId _ ->
                2 * node.shape().elements() * node.operands().getFirst().shape().d0();
            case Op.Attention _ ->
                4 * node.shape().elements() * node.operands().get(1).shape().d1();
            default -> 0;
          };
    }
    return sum;
  }

  /** Bytes of stored tensors that one compute reads, counting a table lookup by its rows. */
  public long bytesRead() {
    long sum = 0;
    for (Tensor node : nodes) {
      Tensor first = node.operands().isEmpty() ? node : node.operands().getFirst();
      if (!(first.op() instanceof Op.Stored)) {
        continue;
      }
      sum +=
          switch (node.op()) {
            case Op.MatMul _ -> first.layout().bytes();
            case Op.MatMulId _ -> {
              Shape ids = node.operands().get(2).shape();
              long experts = Math.min(first.shape().d2(), ids.elements());
              yield first.layout().s2() * experts;
            }
            case Op.GetRows _ -> first.layout().s1() * node.shape().rows();
            default -> 0;
          };
    }
    return sum;
  }

  /** One line per node: name, layout, op and operands. */
  @Override
  public String toString() {
    return nodes.stream().map(Graph::line).collect(Collectors.joining("\n"));
  }

  private static String line(Tensor node) {
    String operands =
        node.operands().stream()
            .map(t -> t.name().isEmpty() ? "%" + t.index() : t.name())
            .collect(Collectors.joining(", "));
    return "%s = %s(%s)".formatted(node, node.op(), operands);
  }
}
