package io.gatun.tensor;

import io.gatun.bindings.ggml.GatunKernels;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What lies between the projections and attention over a KV cache, found in a graph before it is
 * lowered: norms of queries and keys, their rotary positions, and the writes of keys and values
 * into the cache. All of it becomes one node.
 *
 * @param nodes what is computed at the place of which node, by its {@link Tensor#index()}: the
 *     later one of the writes
 * @param absorbed indices of the nodes that are not needed any more
 */
record FusedRopes(Map<Integer, Turned> nodes, Set<Integer> absorbed) {

  /**
   * Queries [D, H, T] that are turned; keys [D, G, T] that are turned and, like values [DV, G, T],
   * written into a cache.
   *
   * @param rope the rotary positions of the queries; those of the keys are the same
   * @param norms of queries and of keys before that; none, or both
   */
  record Turned(
      Tensor rope, Tensor q, Tensor k, Tensor v, List<Norm> norms, Tensor keys, Tensor values) {

    RopeParameters parameters() {
      return ((Op.Rope) rope.op()).parameters();
    }
  }

  FusedRopes {
    nodes = Map.copyOf(nodes);
    absorbed = Set.copyOf(absorbed);
  }

  /** What {@code kernels} allow to be computed so. */
  static FusedRopes of(Graph graph, Kernels kernels) {
    Search search = new Search(new Readers(graph));
    if (kernels.fused() && graph.forward()) {
      graph.nodes().stream()
          .filter(node -> node.op() instanceof Op.Attention)
          .forEach(search::visit);
    }
    return new FusedRopes(search.nodes, search.absorbed);
  }

  private static final class Search {
    /** Norms go in such steps. */
    private static final int NORM_STEP = 32;

    private final Readers readers;
    private final Map<Integer, Turned> nodes = new HashMap<>();
    private final Set<Integer> absorbed = new HashSet<>();

    Search(Readers readers) {
      this.readers = readers;
    }

    void visit(Tensor attention) {
      List<Tensor> operands = attention.operands();
      Tensor q = Readers.source(operands.get(0));
      Optional<Tensor> keys = write(Readers.source(operands.get(1)));
      Optional<Tensor> values = write(Readers.source(operands.get(2)));
      if (keys.isPresent() && values.isPresent()) {
        heads(keys.get())
            .ifPresent(
                k -> heads(values.get()).ifPresent(v -> add(q, k, v, keys.get(), values.get())));
      }
    }

    /** The only write into a store, if nobody waits for it. */
    private Optional<Tensor> write(Tensor store) {
      List<Tensor> writes =
          readers.of(store).stream().filter(node -> node.op() instanceof Op.SetRows).toList();
      return writes.size() == 1
              && store.op() instanceof Op.Stored
              && Kernels.caches(store.type())
              && readers.of(writes.getFirst()).isEmpty()
              && !readers.output(writes.getFirst())
              && !absorbed.contains(writes.getFirst().index())
          ? Optional.of(writes.getFirst())
          : Optional.empty();
    }

    /** The heads [D, G, T] that a write takes as rows [D·G, T]. */
    private Optional<Tensor> heads(Tensor write) {
      Tensor rows = write.operands().get(1);
      if (!(rows.op() instanceof Op.View(Shape shape, long s1, _, _, long offset))
          || !readers.single(rows)) {
        return Optional.empty();
      }
      Tensor x = rows.operands().getFirst();
      Shape s = x.shape();
      Layout layout = x.layout();
      return offset == 0
              && x.type() == DType.F32
              && shape.equals(Shape.of(s.d0() * s.d1(), s.d2()))
              && s.d3() == 1
              && layout.rowsDense()
              && (s.d1() == 1 || layout.s1() == Float.BYTES * s.d0())
              && (s.d2() == 1 || layout.s2() == s1)
              && s.d0() <= GatunKernels.GATUN_HEAD_MAX()
              && s.d0() % write.operands().getFirst().type().blockSize() == 0
          ? Optional.of(x)
          : Optional.empty();
    }

    private void add(Tensor q, Tensor k, Tensor v, Tensor keys, Tensor values) {
      Tensor last = keys.index() > values.index() ? keys : values;
      if (!alike(q, k)
          || !readers.single(k)
          || readers.output(q)
          || v.shape().d1() != k.shape().d1()
          || keys.operands().get(2) != values.operands().get(2)
          || !after(last, readers.of(q))
          || !after(last, readers.of(keys.operands().getFirst()))
          || !after(last, readers.of(values.operands().getFirst()))) {
        return;
      }
      Tensor qFrom = q.operands().getFirst();
      Tensor kFrom = k.operands().getFirst();
      if (!Readers.stays(qFrom) || !Readers.stays(kFrom) || !Readers.stays(v)) {
        return;
      }
      List<Norm> norms = norms(qFrom, kFrom);
      nodes.put(last.index(), new Turned(q, qFrom, kFrom, v, norms, keys, values));
      absorb(q, k, keys, values, keys.operands().get(1), values.operands().get(1));
      if (!norms.isEmpty()) {
        absorb(qFrom, qFrom.operands().getFirst(), kFrom, kFrom.operands().getFirst());
      }
    }

    /** Whether two nodes turn heads of the same length by the same angles. */
    private static boolean alike(Tensor q, Tensor k) {
      return q.op() instanceof Op.Rope
          && q.op().equals(k.op())
          && q.operands()
              .subList(1, q.operands().size())
              .equals(k.operands().subList(1, k.operands().size()))
          && q.type() == DType.F32
          && q.shape().d3() == 1
          && q.shape().d0() == k.shape().d0()
          && q.shape().d2() == k.shape().d2();
    }

    /** Whether nodes, other than writes of the cache themselves, come after the place of a node. */
    private static boolean after(Tensor place, List<Tensor> nodes) {
      return nodes.stream()
          .allMatch(node -> node.index() > place.index() || node.op() instanceof Op.SetRows);
    }

    private List<Norm> norms(Tensor q, Tensor k) {
      Optional<Norm> ofQ = Norm.of(q, readers);
      Optional<Norm> ofK = Norm.of(k, readers);
      return ofQ.isPresent()
              && ofK.isPresent()
              && readers.single(q)
              && readers.single(k)
              && ofQ.get().epsilon() == ofK.get().epsilon()
              && q.shape().d0() % NORM_STEP == 0
          ? List.of(ofQ.get(), ofK.get())
          : List.of();
    }

    private void absorb(Tensor... nodes) {
      for (Tensor node : nodes) {
        absorbed.add(node.index());
      }
    }
  }
}
