package io.gatun.tensor;

import io.gatun.bindings.ggml.GatunKernels;
import io.gatun.tensor.Op.BinaryKind;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Sums of what experts gave, by the router's weights, found in a graph before it is lowered: a
 * product [E, K, T] with weights [1, K, T], its K parts as views, and K − 1 sums become one node.
 *
 * @param sums what is computed at the place of which node, by its {@link Tensor#index()}: the last
 *     sum
 * @param absorbed indices of the nodes that are not needed any more
 */
record WeightedSums(Map<Integer, Weighted> sums, Set<Integer> absorbed) {

  /**
   * Parts and their weights.
   *
   * @param parts [E, K, T]
   * @param weights [1, K, T]
   */
  record Weighted(Tensor parts, Tensor weights) {}

  WeightedSums {
    sums = Map.copyOf(sums);
    absorbed = Set.copyOf(absorbed);
  }

  /** What {@code kernels} allow to be computed so. */
  static WeightedSums of(Graph graph, Kernels kernels) {
    Search search = new Search(new Readers(graph));
    if (kernels.fused() && graph.forward()) {
      // The last sum of a chain comes last.
      graph.nodes().reversed().forEach(search::visit);
    }
    return new WeightedSums(search.sums, search.absorbed);
  }

  /** Whether a node is computed here: emits it if it is a whole sum, nothing if it is absorbed. */
  boolean emit(Tensor node, CustomNodes custom, MemorySegment[] lowered) {
    Weighted sum = sums.get(node.index());
    if (sum != null) {
      lowered[node.index()] =
          custom.node(
              DType.F32,
              node.shape(),
              GatunKernels.gatun_weighted_sum$address(),
              MemorySegment.NULL,
              List.of(lowered[sum.parts().index()], lowered[sum.weights().index()]));
    }
    return sum != null || absorbed.contains(node.index());
  }

  private static final class Search {
    private final Readers readers;
    private final Map<Integer, Weighted> sums = new HashMap<>();
    private final Set<Integer> absorbed = new HashSet<>();

    Search(Readers readers) {
      this.readers = readers;
    }

    void visit(Tensor node) {
      if (absorbed.contains(node.index()) || !isSum(node) || normed(node)) {
        return;
      }
      List<Tensor> inner = new ArrayList<>();
      List<Tensor> parts = new ArrayList<>();
      Tensor rest = node;
      for (; isSum(rest); rest = rest.operands().get(0)) {
        if (rest != node) {
          inner.add(rest);
        }
        parts.addFirst(rest.operands().get(1));
      }
      parts.addFirst(rest);
      product(node, parts)
          .filter(_ -> inner.stream().allMatch(readers::single))
          .ifPresent(product -> {
            Tensor each = product.operands().get(0);
            sums.put(node.index(), new Weighted(each, product.operands().get(1)));
            inner.forEach(this::absorb);
            parts.forEach(this::absorb);
            absorb(product);
          });
    }

    private static boolean isSum(Tensor node) {
      return node.op() instanceof Op.Binary(BinaryKind kind) && kind == BinaryKind.ADD;
    }

    /** A sum that a norm reads is computed with it, see {@link FusedInputs}. */
    private boolean normed(Tensor node) {
      return readers.of(node).stream().anyMatch(reader -> reader.op() instanceof Op.RmsNorm);
    }

    /** The product that the parts, in this order, are all of. */
    private Optional<Tensor> product(Tensor sum, List<Tensor> parts) {
      if (!(parts.getFirst().op() instanceof Op.View)) {
        return Optional.empty();
      }
      Tensor product = parts.getFirst().operands().getFirst();
      if (!weighted(product, parts.size()) || readers.output(product)) {
        return Optional.empty();
      }
      for (int k = 0; k < parts.size(); k++) {
        if (!isPart(parts.get(k), product, k) || !readers.single(parts.get(k))) {
          return Optional.empty();
        }
      }
      boolean whole = sum.shape().equals(Shape.of(product.shape().d0(), product.shape().d2()));
      return whole && readers.of(product).size() == parts.size()
          ? Optional.of(product)
          : Optional.empty();
    }

    private static boolean weighted(Tensor product, int parts) {
      if (!(product.op() instanceof Op.Binary(BinaryKind kind)) || kind != BinaryKind.MUL) {
        return false;
      }
      Tensor each = product.operands().get(0);
      Tensor weights = product.operands().get(1);
      return each.type() == DType.F32
          && weights.type() == DType.F32
          && each.layout().rowsDense()
          && each.shape().d1() == parts
          && each.shape().d3() == 1
          && weights.shape().equals(Shape.of(1, parts, each.shape().d2()))
          && Readers.stays(each)
          && Readers.stays(weights);
    }

    /** Whether a node is [E, T] of [E, K, T] at k. */
    private static boolean isPart(Tensor node, Tensor product, int k) {
      Layout layout = product.layout();
      return node.op() instanceof Op.View(Shape shape, long s1, _, _, long offset)
          && node.operands().getFirst() == product
          && shape.equals(Shape.of(product.shape().d0(), product.shape().d2()))
          && (shape.d1() == 1 || s1 == layout.s2())
          && offset == k * layout.s1();
    }

    private void absorb(Tensor node) {
      absorbed.add(node.index());
    }
  }
}
