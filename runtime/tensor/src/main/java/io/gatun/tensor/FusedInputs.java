package io.gatun.tensor;

import io.gatun.tensor.Kernels.Product;
import io.gatun.tensor.Op.BinaryKind;
import io.gatun.tensor.Op.GluKind;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Inputs of products that are computed while they are quantised, rather than by nodes of their own:
 * found in a graph before it is lowered. Each node is a barrier of all threads, and decoding has
 * many small ones.
 *
 * <p>Only {@link Product#DOTS} can do so, and only where nothing else reads what lies between.
 *
 * @param sources what computes an input, by its {@link Tensor#index()}
 * @param sums inputs that the sum of which they are made computes on the way, by the sum's index
 * @param absorbed indices of the nodes that are not needed any more
 */
record FusedInputs(Map<Integer, Source> sources, Map<Integer, OfSum> sums, Set<Integer> absorbed) {

  /** What an input is computed from. */
  sealed interface Source {}

  /** A norm with its gain. */
  record Normed(Norm norm) implements Source {}

  /** A gated activation of gate and up, or of one tensor whose rows hold both. */
  record Gated(GluKind kind, List<Tensor> operands) implements Source {}

  /** An input that is made of a sum, and how. */
  record OfSum(ProductInput input, Norm norm) {}

  FusedInputs {
    sources = Map.copyOf(sources);
    sums = Map.copyOf(sums);
    absorbed = Set.copyOf(absorbed);
  }

  /** What {@code kernels} allow to be computed so. */
  static FusedInputs of(Graph graph, Kernels kernels) {
    Search search = new Search(kernels, new Readers(graph));
    if (kernels.fused() && graph.forward()) {
      graph.nodes().forEach(search::visit);
    }
    return new FusedInputs(search.sources, search.sums, search.absorbed);
  }

  private static final class Search {
    private final Kernels kernels;
    private final Readers readers;
    private final Map<Integer, Source> sources = new HashMap<>();
    private final Map<Integer, OfSum> sums = new HashMap<>();
    private final Set<Integer> absorbed = new HashSet<>();

    Search(Kernels kernels, Readers readers) {
      this.kernels = kernels;
      this.readers = readers;
    }

    void visit(Tensor node) {
      input(node).ifPresent(input -> add(input, node));
    }

    /** The form in which products read a node, when nothing reads it in another. */
    private Optional<ProductInput> input(Tensor node) {
      List<Tensor> uses = readers.of(node);
      if (uses.isEmpty() || readers.output(node) || node.shape().d3() > 1) {
        return Optional.empty();
      }
      Set<ProductInput> inputs = new HashSet<>();
      for (Tensor use : uses) {
        if (kernels.product(use) != Product.DOTS || use.operands().get(1) != node) {
          return Optional.empty();
        }
        inputs.add(ProductInput.of(use, Product.DOTS, 0));
      }
      return inputs.size() == 1 ? Optional.of(inputs.iterator().next()) : Optional.empty();
    }

    private void add(ProductInput input, Tensor node) {
      switch (node.op()) {
        case Op.Binary _ -> Norm.of(node, readers).ifPresent(norm -> normed(input, node, norm));
        case Op.Glu(GluKind kind) -> gated(node, kind);
        case Op.GluFused(GluKind kind) -> gated(node, kind);
        default -> {} // an input that is there for other reasons
      }
    }

    private void normed(ProductInput input, Tensor product, Norm norm) {
      sources.put(product.index(), new Normed(norm));
      absorbed.add(product.operands().getFirst().index());
      absorbed.add(product.index());
      if (isSum(norm.x())) {
        sums.putIfAbsent(norm.x().index(), new OfSum(input, norm));
      }
    }

    /** A sum whose result nobody reads from outside: that is a view, which GGML may overwrite. */
    private boolean isSum(Tensor x) {
      return x.op() instanceof Op.Binary(BinaryKind kind)
          && kind == BinaryKind.ADD
          && !readers.output(x)
          && x.operands().stream()
              .allMatch(a ->
                  a.type() == DType.F32 && a.shape().equals(x.shape()) && a.layout().rowsDense());
    }

    private void gated(Tensor node, GluKind kind) {
      if (node.operands().stream().allMatch(Readers::stays)) {
        sources.put(node.index(), new Gated(kind, node.operands()));
        absorbed.add(node.index());
      }
    }
  }
}
