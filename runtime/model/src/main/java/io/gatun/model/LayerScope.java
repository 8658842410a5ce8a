package io.gatun.model;

import io.gatun.tensor.Op.GluKind;
import io.gatun.tensor.Op.UnaryKind;
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
    return KvStore.slides(h(), layer);
  }

  /** The three projections of attention: q [D, H, T], k and v [D, G, T]. */
  public record Qkv(Tensor q, Tensor k, Tensor v) {}

  /** Queries, keys and values of x [E, T], from three matrices or from one that holds all. */
  public Qkv qkv(Tensor x) {
    int heads = h().headCount();
    int kvHeads = h().kvHeadCount();
    int d = h().headDim();
    if (!has("attn_qkv.weight")) {
      return new Qkv(
          heads(bounded(linear("attn_q", x)), d, heads),
          heads(bounded(linear("attn_k", x)), d, kvHeads),
          heads(bounded(linear("attn_v", x)), h().valueDim(), kvHeads));
    }
    Tensor all = bounded(linear("attn_qkv", x)); // [D·(H + 2G), T]
    long k = (long) d * heads;
    long v = k + (long) d * kvHeads;
    return new Qkv(
        part(all, 0, d, heads), part(all, k, d, kvHeads), part(all, v, h().valueDim(), kvHeads));
  }

  /** Within ±{@code attention.clamp_kqv}, where a file has that. */
  private Tensor bounded(Tensor x) {
    float bound = (float) h().keys().number("attention.clamp_kqv", 0);
    return bound > 0 ? x.clamp(-bound, bound) : x;
  }

  /** Some heads of rows that hold more: a view from an element on. */
  private static Tensor part(Tensor all, long from, long headDim, long count) {
    long element = all.type().blockBytes();
    long row = all.layout().s1();
    long rows = all.shape().d1();
    return all.view(
        Shape.of(headDim, count, rows), headDim * element, row, row * rows, from * element);
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

  /** Rotary positions with the model's own parameters, whatever factors the file has. */
  public Tensor ropePlain(Tensor x) {
    return ropePlain(x, h().rope());
  }

  /** Rotary positions without frequency factors. */
  public Tensor ropePlain(Tensor x, RopeParameters parameters) {
    return x.rope(pass.positions(), parameters);
  }

  /** Whether queries grow with their position in this model. */
  public boolean grows() {
    return pass.model().architecture().temperature(h()).isPresent();
  }

  /** Queries that grow with their position, as {@link Architecture#temperature} says. */
  public Tensor tempered(Tensor q) {
    return q.mul(pass.temperatures());
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
    Tensor kept = wanted(y);
    return kept.add(wanted(x));
  }

  /** {@link #residual(Tensor, Tensor)} with y multiplied by a factor, unless that is 0. */
  public Tensor residual(Tensor x, Tensor y, float factor) {
    Tensor kept = wanted(y);
    Tensor from = wanted(x);
    return (factor == 0f ? kept : kept.scale(factor)).add(from);
  }

  /** {@link #residual(Tensor, Tensor)} with y normalised. */
  public Tensor residualNormed(Tensor x, String norm, Tensor y) {
    Tensor kept = wanted(y);
    Tensor from = wanted(x);
    return rmsNorm(norm, kept).add(from);
  }

  /**
   * On the last layer only the rows whose logits are wanted, elsewhere x itself: [E, T] → [E, T or
   * N]. For what comes neither from {@link #residual} nor behind it.
   */
  public Tensor wanted(Tensor x) {
    return layer == h().layerCount() - 1 && pass.outputRows().isPresent()
        ? x.getRows(pass.outputRows().get())
        : x;
  }

  /** W_down(SiLU(W_gate·x) ⊙ W_up·x) (arXiv 2002.05202). */
  public Tensor swiglu(Tensor x) {
    return gated(GluKind.SWIGLU, x);
  }

  /** W_down(act(W_up·x)): a feed-forward of two matrices. */
  public Tensor ungated(UnaryKind kind, Tensor x) {
    return linear("ffn_down", linear("ffn_up", x).unary(kind));
  }

  /** {@link #swiglu} with another activation. */
  public Tensor gated(GluKind kind, Tensor x) {
    Tensor up = linear("ffn_up", x);
    return linear("ffn_down", linear("ffn_gate", x).glu(kind, up));
  }

  /** Expert matrices · x (+ bias): x [in, K or 1, T], ids [K, T] → [out, K, T]. */
  public Tensor experts(String name, Tensor x, Tensor ids) {
    Tensor y = weight(name + ".weight").matMulId(x, ids);
    y = pass.modifier().experts(fullName(name), x, ids, y);
    return has(name + ".bias") ? y.addId(weight(name + ".bias"), ids) : y;
  }

  /** Says how this layer chooses experts: scores [X, T] before any softmax, ids I32 [K, T]. */
  public void routed(Tensor scores, Tensor ids) {
    pass.modifier().routed(scores, ids);
  }

  /**
   * How one attention differs from the usual.
   *
   * @param scale what the scores are multiplied with
   * @param softcap bound of the scores by tanh, 0 for none
   * @param sinks whether {@code attn_sinks} takes part in the softmax
   * @param biasMax of slopes by which heads prefer what is near (ALiBi, arXiv 2108.12409), 0 for
   *     none
   */
  public record Attention(float scale, float softcap, boolean sinks, float biasMax) {
    public static Attention scaled(float scale) {
      return new Attention(scale, 0f, false, 0f);
    }

    public Attention withSoftcap(float cap) {
      return new Attention(scale, cap, sinks, biasMax);
    }

    public Attention withSinks() {
      return new Attention(scale, softcap, true, biasMax);
    }

    public Attention withBias(float max) {
      return new Attention(scale, softcap, sinks, max);
    }
  }
}
