package io.gatun.model.arch;

import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.tensor.Op.GluKind;
import io.gatun.tensor.RopeParameters;
import io.gatun.tensor.Tensor;

/** What the Gemma families share. */
final class GemmaBlock {
  private GemmaBlock() {}

  /** √E times the embedding. */
  static Tensor embed(ModelScope s, Tensor tokens) {
    return s.embedding(tokens).scale((float) Math.sqrt(s.h().embeddingLength()));
  }

  /** What queries are multiplied with; the largest model divides by √(E/H) instead of √D. */
  static float queryScale(LayerScope s, int layersOfLargest) {
    Hyperparams h = s.h();
    int width =
        h.layerCount() == layersOfLargest ? h.embeddingLength() / h.headCount() : h.headDim();
    return 1f / (float) Math.sqrt(width);
  }

  /** The rotation of this layer: sliding ones may have a base of their own. */
  static RopeParameters rope(LayerScope s, float slidingBase, float slidingScale) {
    RopeParameters rope = s.h().rope();
    return s.sliding()
        ? rope.withBase((float) s.h().keys().number("rope.freq_base_swa", slidingBase))
            .withScale(slidingScale)
        : rope;
  }

  /**
   * A layer of Gemma 3: heads of queries and keys are normalised, queries multiplied by a scale.
   */
  static Tensor layer(LayerScope s, Tensor x, float queryScale) {
    RopeParameters rope = rope(s, 10000f, 1f);
    LayerScope.Qkv p = s.qkv(s.rmsNorm("attn_norm", x));
    Tensor q = s.ropePlain(s.rmsNorm("attn_q_norm", p.q()), rope).scale(queryScale);
    Tensor k = s.ropePlain(s.rmsNorm("attn_k_norm", p.k()), rope);
    Tensor attended = s.attend(q, k, p.v(), LayerScope.Attention.scaled(1f));
    return finish(s, x, s.linear("attn_output", attended));
  }

  /** Everything after attention: both residuals with their norms, and the feed-forward network. */
  static Tensor finish(LayerScope s, Tensor x, Tensor attended) {
    Tensor h = s.residualNormed(x, "post_attention_norm", attended);
    Tensor y = s.gated(GluKind.GEGLU, s.rmsNorm("ffn_norm", h));
    return s.rmsNorm("post_ffw_norm", y).add(h);
  }
}
