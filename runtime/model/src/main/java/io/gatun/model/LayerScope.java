package io.gatun.model;

import io.gatun.tensor.Op.GluKind;
import io.gatun.tensor.RopeParameters;
import io.gatun.tensor.Shape;
import io.gatun.tensor.Tensor;

/** What an {@link Architecture} builds one layer with; names mean {@code blk.N.name}. */
public final class LayerScope extends ModelScope {
  private final int layer;

  LayerScope(Pass pass, int layer) {
    super(pass, "blk." + layer + ".");
    this.layer = layer;
  }

  /** The number of this layer, from 0. */
  public int layer() {
    return layer;
  }

  /** Whether this layer sees only the last tokens. */
  public boolean sliding() {
    return pass.model().architecture().sliding(h(), layer);
  }

  /** Queries: [E, T] → [D, H, T]. */
  public Tensor queries(Tensor x) {
    return heads(linear("attn_q", x), h().headDim(), h().headCount());
  }

  /** Keys: [E, T] → [D, G, T]. */
  public Tensor keys(Tensor x) {
    return heads(linear("attn_k", x), h().headDim(), h().kvHeadCount());
  }

  /** Values: [E, T] → [D, G, T]. */
  public Tensor values(Tensor x) {
    return heads(linear("attn_v", x), h().valueDim(), h().kvHeadCount());
  }

  /** Splits rows into heads: [D·H, T] → [D, H, T]. */
  public Tensor heads(Tensor x, int headDim, int count) {
    return x.reshape(headDim, count, x.shape().d1());
  }

  /** Rotary positions with the model's own parameters, and the file's frequency factors. */
  public Tensor rope(Tensor x) {
    return rope(x, h().rope());
  }

  /** Rotary positions: [D, H, T] → [D, H, T]. */
  public Tensor rope(Tensor x, RopeParameters parameters) {
    return pass.frequencyFactors()
        .map(factors -> x.rope(pass.positions(), factors, parameters))
        .orElseGet(() -> x.rope(pass.positions(), parameters));
  }

  /** Rotary positions without frequency factors. */
  public Tensor ropePlain(Tensor x, RopeParameters parameters) {
    return x.rope(pass.positions(), parameters);
  }

  /** Attention with scale 1/√D: q [D, H, T], k and v [D, G, T] → [D·H, T]. */
  public Tensor attend(Tensor q, Tensor k, Tensor v) {
    return attend(q, k, v, Attention.scaled(h().attentionScale()));
  }

  /** Attention over this pass' keys and values and the earlier ones that its path knows. */
  public Tensor attend(Tensor q, Tensor k, Tensor v, Attention options) {
    return pass.attend(this, q, k, v, options);
  }

  /**
   * x + y, where y comes from attention: on the last layer only the rows whose logits are wanted go
   * on, so that nothing after it computes the others. [E, T] → [E, T or N].
   */
  public Tensor residual(Tensor x, Tensor y) {
    if (layer != h().layerCount() - 1 || pass.outputRows().isEmpty()) {
      return y.add(x);
    }
    Tensor rows = pass.outputRows().get();
    Tensor keptY = y.getRows(rows);
    return keptY.add(x.getRows(rows));
  }

  /** W_down(SiLU(W_gate·x) ⊙ W_up·x) (arXiv 2002.05202). */
  public Tensor swiglu(Tensor x) {
    return gated(GluKind.SWIGLU, x);
  }

  /** The same with another activation. */
  public Tensor gated(GluKind kind, Tensor x) {
    Tensor up = linear("ffn_up", x);
    return linear("ffn_down", linear("ffn_gate", x).glu(kind, up));
  }

  /** A tensor seen in equal pieces of its rows, from an element on: [F, T] → [length, T]. */
  public Tensor slice(Tensor x, long from, long length) {
    long elementBytes = x.type().blockBytes();
    return x.view(Shape.of(length, x.shape().d1()), from * elementBytes);
  }

  /**
   * How one attention differs from the usual.
   *
   * @param scale what the scores are multiplied with
   * @param softcap bound of the scores by tanh, 0 for none
   * @param sinks whether {@code attn_sinks} takes part in the softmax
   */
  public record Attention(float scale, float softcap, boolean sinks) {
    public static Attention scaled(float scale) {
      return new Attention(scale, 0f, false);
    }

    public Attention withSoftcap(float cap) {
      return new Attention(scale, cap, sinks);
    }

    public Attention withSinks() {
      return new Attention(scale, softcap, true);
    }
  }
}
