package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Granite 3 and 4, MiniCPM 1 and 4: Llama with factors on embedding, residuals, attention and
 * logits; with experts in the MoE variant.
 *
 * @source arXiv 2405.04324; llama.cpp v0.4.0, src/models/granite.cpp, minicpm.cpp
 */
public final class Granite implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("granite", "granitemoe", "minicpm");
  }

  @Override
  public Tensor embed(ModelScope s, Tensor tokens) {
    float scale = (float) s.h().keys().number("embedding_scale", old(s) ? 12 : 0);
    Tensor x = s.embedding(tokens);
    return scale == 0f ? x : x.scale(scale);
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, attention(s, s.rmsNorm("attn_norm", x)), residualScale(s));
    Tensor ffn = feedForward(s, s.rmsNorm("ffn_norm", h));
    float scale = residualScale(s);
    return (scale == 0f ? ffn : ffn.scale(scale)).add(h);
  }

  @Override
  public Tensor head(ModelScope s, Tensor x) {
    float usual = old(s) ? 256f / s.h().embeddingLength() : 1f;
    float scale = (float) s.h().keys().number("logit_scale", usual);
    return s.output(x).scale(1f / scale);
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    boolean turned = old(s) || s.h().keys().flag("rope.scaling.finetuned", true);
    LayerScope.Qkv p = s.qkv(x);
    Tensor q = turned ? s.rope(p.q()) : p.q();
    Tensor k = turned ? s.rope(p.k()) : p.k();
    return s.linear("attn_output", s.attend(q, k, p.v(), Scales.attention(s)));
  }

  private static Tensor feedForward(LayerScope s, Tensor x) {
    if (s.h().expertCount() == 0) {
      return s.swiglu(x);
    }
    Tensor routed = Experts.of(s, x, Experts.softmax().normalised().scaledByKey(s));
    return s.has("ffn_up_shexp.weight") ? routed.add(Experts.shared(s, x)) : routed;
  }

  private static float residualScale(LayerScope s) {
    float usual = old(s) ? 1.4f / (float) Math.sqrt(s.h().layerCount()) : 0f;
    return (float) s.h().keys().number("residual_scale", usual);
  }

  /** Whether files need not say what the factors are. */
  private static boolean old(ModelScope s) {
    return s.h().architecture().equals("minicpm");
  }
}
