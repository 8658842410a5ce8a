package io.gatun.model;

import io.gatun.tensor.Tensor;

/**
 * Attention over the keys and values of the pass itself, without a cache: what training needs, as
 * gradients reach keys and values only this way.
 *
 * @param mask F16 [T, T], 0 or −∞
 * @param slidingMask the same for layers with a window
 */
record FreshAttention(Tensor mask, Tensor slidingMask) implements AttentionPath {
  @Override
  public Tensor attend(
      Pass pass, LayerScope s, Tensor q, Tensor k, Tensor v, LayerScope.Attention options) {
    long rows = q.shape().d2();
    Tensor qh = q.permute(0, 2, 1, 3); // [D, T, H]
    Tensor kh = k.permute(0, 2, 1, 3); // [D, T, G]
    Tensor vh = v.permute(0, 2, 1, 3); // [D, T, G]
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
    return out.reshape(out.shape().d0() * out.shape().d1(), rows);
  }
}
