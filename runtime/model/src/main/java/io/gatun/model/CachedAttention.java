package io.gatun.model;

import io.gatun.tensor.Shape;
import io.gatun.tensor.Tensor;
import java.util.Optional;

/**
 * Attention over a KV cache: writes this pass' keys and values into their cells, then reads the
 * first S cells under a mask. Values that are the first numbers of keys are written with them.
 *
 * @param full cells of layers that see everything
 * @param windowed cells of layers with a window
 * @source arXiv 2205.14135 for the kernel; the order of nodes follows llama.cpp v0.4.0
 */
record CachedAttention(KvStore store, Cells full, Cells windowed) implements AttentionPath {

  /**
   * Where rows go and what they see.
   *
   * @param rows I64 [T], the cell of each row
   * @param length S, how many cells are read
   * @param mask F16 [S, T], 0 or −∞
   */
  record Cells(Tensor rows, int length, Tensor mask) {}

  @Override
  public Tensor attend(
      Pass pass, LayerScope s, Tensor q, Tensor k, Tensor v, LayerScope.Attention options) {
    if (options.biasMax() != 0) {
      throw new UnsupportedModelException("biased attention has no cache");
    }
    long rows = q.shape().d2();
    Cells cells = s.sliding() ? windowed : full;
    Tensor keys = pass.graph().stored(store.keys(s.layer()));
    Optional<Tensor> ownValues = store.values(s.layer()).map(pass.graph()::stored);
    Optional<Tensor> keyTurn = store.keyTurn(s.layer()).map(pass.graph()::stored);
    Optional<Tensor> valueTurn = store.valueTurn(s.layer()).map(pass.graph()::stored);
    var _ = keys.setRows(flat(turned(keyTurn, k)), cells.rows());
    ownValues.ifPresent(cache -> cache.setRows(flat(turned(valueTurn, v)), cells.rows()));
    Tensor values = ownValues.orElse(keys); // of which they are the first numbers

    Tensor qh = turned(keyTurn, q).permute(0, 2, 1, 3); // [D, T, H]
    Tensor kh = read(keys, k.shape(), cells.length()); // [D, S, G]
    Tensor vh = read(values, v.shape(), cells.length()); // [D, S, G]
    Tensor out =
        options.sinks()
            ? pass.graph()
                .attentionWithSinks(
                    qh,
                    kh,
                    vh,
                    cells.mask(),
                    s.weight("attn_sinks.weight"),
                    options.scale(),
                    options.softcap())
            : pass.graph().attention(qh, kh, vh, cells.mask(), options.scale(), options.softcap());
    Tensor back = turned(valueTurn, out);
    return back.reshape(back.shape().d0() * back.shape().d1(), rows);
  }

  /** The keys that a layer reads, as heads: [D, S, G]. */
  Tensor keys(Pass pass, LayerScope s, Tensor fresh) {
    Tensor keys = pass.graph().stored(store.keys(s.layer()));
    return read(keys, fresh.shape(), (s.sliding() ? windowed : full).length());
  }

  /** Heads times a matrix [B, B], B values at a time; as they are without one. */
  static Tensor turned(Optional<Tensor> turn, Tensor heads) {
    if (turn.isEmpty()) {
      return heads;
    }
    Shape shape = heads.shape();
    long block = turn.get().shape().d0();
    Tensor rows = heads.dense().reshape(block, shape.elements() / block);
    return turn.get().matMul(rows).reshape(shape.d0(), shape.d1(), shape.d2());
  }

  /** [D, G, T] → [D·G, T]; heads lie together even in a view of a fused projection. */
  static Tensor flat(Tensor x) {
    Shape s = x.shape();
    Shape rows = Shape.of(s.d0() * s.d1(), s.d2());
    long stride = x.layout().s2();
    return x.view(rows, stride, stride * s.d2(), stride * s.d2(), 0);
  }

  /** The first S cells of a cache [D·G, cells] as heads: [D, S, G]. */
  private static Tensor read(Tensor cache, Shape fresh, int kvLength) {
    long headBytes = cache.type().rowBytes(fresh.d0());
    long cellBytes = cache.layout().s1();
    return cache
        .view(
            Shape.of(fresh.d0(), fresh.d1(), kvLength),
            headBytes,
            cellBytes,
            cellBytes * kvLength,
            0)
        .permute(0, 2, 1, 3);
  }
}
