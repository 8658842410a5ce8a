package io.gatun.model;

import io.gatun.tensor.Tensor;
import java.util.Optional;

/**
 * Attention over the keys and values of the pass itself, without a cache: what training needs, as
 * gradients reach keys and values only this way.
 *
 * @param mask F16 [P+T, T], 0 or −∞; P is how many keys and values come {@link Modifier#before}
 * @param slidingMask the same for layers with a window
 */
record FreshAttention(Tensor mask, Tensor slidingMask) implements AttentionPath {
  @Override
  public Tensor attend(
      Pass pass, LayerScope s, Tensor q, Tensor k, Tensor v, LayerScope.Attention options) {
    long rows = q.shape().d2();
    Tensor qh = q.permute(0, 2, 1, 3); // [D, T, H]
    Optional<KeysValues> before = pass.modifier().before(s.layer());
    Tensor kh = behind(before.map(KeysValues::keys), k).permute(0, 2, 1, 3); // [D, P+T, G]
    Tensor vh = behind(before.map(KeysValues::values), v).permute(0, 2, 1, 3); // [D, P+T, G]
    Tensor visible = s.sliding() ? slidingMask : mask;
    if (options.biasMax() != 0) {
      return biased(qh, kh, vh, visible, options);
    }
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
    return out.reshape(out.shape().d0() * out.shape().d1(), rows);
  }

  /**
   * Attention with slopes, op by op: q [D, T, H], k and v [D, S, G] → [D·H, T]. The mask holds how
   * far rows are from each other, with a minus.
   */
  private static Tensor biased(
      Tensor q, Tensor k, Tensor v, Tensor mask, LayerScope.Attention options) {
    Tensor scores = k.dense().matMulF32(q.dense()); // [S, T, H]
    Tensor weights = scores.softMax(mask, options.scale(), options.biasMax());
    Tensor out = v.permute(1, 0, 2, 3).dense().matMul(weights); // [D, T, H]
    return out.permute(0, 2, 1, 3).dense(out.shape().d0() * out.shape().d2(), out.shape().d1());
  }

  /** What comes before [D·G, P], and then x [D, G, T]. */
  private static Tensor behind(Optional<Tensor> before, Tensor x) {
    long d = x.shape().d0();
    long heads = x.shape().d1();
    return before.map(b -> b.reshape(d, heads, b.shape().d1()).concat(x, 2)).orElse(x);
  }
}
