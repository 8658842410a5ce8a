package io.gatun.model;

import io.gatun.tensor.Shape;
import io.gatun.tensor.Tensor;
import java.util.Optional;

/**
 * Attention over a KV cache: writes this pass' keys and values into their cells, then reads the
 * first S cells under a mask.
 *
 * @param cells I64 [T], the cell of each row
 * @param kvLength S, how many cells are read
 * @param mask F16 [S, T], 0 or −∞
 * @param slidingMask the same for layers with a window
 * @source arXiv 2205.14135 for the kernel; the order of nodes follows llama.cpp v0.4.0
 */
record CachedAttention(KvStore store, Tensor cells, int kvLength, Tensor mask, Tensor slidingMask)
    implements AttentionPath {

  @Override
  public Tensor attend(
      Pass pass, LayerScope s, Tensor q, Tensor k, Tensor v, LayerScope.Attention options) {
    if (options.biasMax() != 0) {
      throw new UnsupportedModelException("biased attention has no cache");
    }
    long rows = q.shape().d2();
    Tensor keys = pass.graph().stored(store.keys(s.layer()));
    Tensor values = pass.graph().stored(store.values(s.layer()));
    Optional<Tensor> keyTurn = store.turn(keys.type(), s.h().headDim()).map(pass.graph()::stored);
    Optional<Tensor> valueTurn =
        store.turn(values.type(), s.h().valueDim()).map(pass.graph()::stored);
    var _ = keys.setRows(flat(turned(keyTurn, k)), cells);
    var _ = values.setRows(flat(turned(valueTurn, v)), cells);

    Tensor qh = turned(keyTurn, q).permute(0, 2, 1, 3); // [D, T, H]
    Tensor kh = read(keys, k.shape()); // [D, S, G]
    Tensor vh = read(values, v.shape()); // [D, S, G]
    Tensor visible = s.sliding() ? slidingMask : mask;
    Tensor out =
        options.sinks()
            ? pass.graph()
                .attentionWithSinks(
                    qh,
                    kh,
                    vh,
                    visible,
                    s.weight("attn_sinks.weight"),
                    options.scale(),
                    options.softcap())
            : pass.graph().attention(qh, kh, vh, visible, options.scale(), options.softcap());
    Tensor back = turned(valueTurn, out);
    return back.reshape(back.shape().d0() * back.shape().d1(), rows);
  }

  /** Heads times a matrix [B, B], B values at a time; as they are without one. */
  private static Tensor turned(Optional<Tensor> turn, Tensor heads) {
    if (turn.isEmpty()) {
      return heads;
    }
    Shape shape = heads.shape();
    long block = turn.get().shape().d0();
    Tensor rows = heads.dense().reshape(block, shape.elements() / block);
    return turn.get().matMul(rows).reshape(shape.d0(), shape.d1(), shape.d2());
  }

  /** [D, G, T] → [D·G, T]; heads lie together even in a view of a fused projection. */
  private static Tensor flat(Tensor x) {
    Shape s = x.shape();
    Shape rows = Shape.of(s.d0() * s.d1(), s.d2());
    long stride = x.layout().s2();
    return x.view(rows, stride, stride * s.d2(), stride * s.d2(), 0);
  }

  /** The first S cells of a cache [D·G, cells] as heads: [D, S, G]. */
  private Tensor read(Tensor cache, Shape fresh) {
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
