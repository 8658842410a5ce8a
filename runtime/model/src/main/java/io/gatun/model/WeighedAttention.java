package io.gatun.model;

import io.gatun.tensor.Shape;
import io.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Attention that also tells how some rows spread theirs over the cells, in layers that see
 * everything: flash attention never has these numbers, so softmax(q·k) of these rows is computed
 * beside it.
 */
final class WeighedAttention implements AttentionPath {
  private final CachedAttention attention;
  private final Tensor weighed;
  private final List<Tensor> layers = new ArrayList<>();

  /**
   * @param weighed I32 [M], which rows
   */
  WeighedAttention(CachedAttention attention, Tensor weighed) {
    this.attention = attention;
    this.weighed = weighed;
  }

  @Override
  public Tensor attend(
      Pass pass, LayerScope s, Tensor q, Tensor k, Tensor v, LayerScope.Attention options) {
    Tensor out = attention.attend(pass, s, q, k, v, options); // which writes this pass' keys
    if (!s.sliding()) {
      layers.add(weights(pass, s, q, k, options));
    }
    return out;
  }

  /** The mean over layers and heads, F32 [S, M]; rows sum to 1 but for what sinks take. */
  Tensor mean() {
    Tensor all = layers.stream().reduce(Tensor::add).orElseThrow(); // [S, M, H]
    Shape s = all.shape();
    Tensor heads = all.permute(1, 2, 0, 3).dense(s.d2(), s.d0() * s.d1());
    return heads.sumRows().scale(1f / (layers.size() * s.d2())).reshape(s.d0(), s.d1());
  }

  /** softmax(scale · q·k + mask) of the weighed rows, [S, M, H]. */
  private Tensor weights(
      Pass pass, LayerScope s, Tensor q, Tensor k, LayerScope.Attention options) {
    Optional<Tensor> turn = attention.store().keyTurn(s.layer()).map(pass.graph()::stored);
    Tensor rows =
        CachedAttention.flat(q)
            .getRows(weighed)
            .reshape(q.shape().d0(), q.shape().d1(), weighed.shape().d0()); // [D, H, M]
    Tensor turned = CachedAttention.turned(turn, rows).permute(0, 2, 1, 3).dense(); // [D, M, H]
    Tensor keys = attention.keys(pass, s, k); // [D, S, G]
    Tensor scores = keys.matMulF32(turned); // [S, M, H]
    Tensor mask = attention.full().mask().getRows(weighed); // [S, M]
    if (options.softcap() != 0) {
      return scores.scale(options.scale()).softcap(options.softcap()).softMax(mask, 1f, 0f);
    }
    return options.sinks()
        ? scores.softMaxWithSinks(mask, s.weight("attn_sinks.weight"), options.scale())
        : scores.softMax(mask, options.scale(), 0f);
  }
}
