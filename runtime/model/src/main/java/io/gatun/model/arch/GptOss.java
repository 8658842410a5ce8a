package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.tensor.Op.GluKind;
import io.gatun.tensor.RopeParameters;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * gpt-oss: experts with biases and a clamped activation, attention with sinks, and sliding windows
 * on every other layer.
 *
 * @source arXiv 2508.10925; llama.cpp v0.4.0, src/models/openai-moe.cpp
 */
public final class GptOss implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("gpt-oss");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public boolean sliding(Hyperparams h, int layer) {
    return h.keys().sliding(layer, 2);
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, attention(s, s.rmsNorm("attn_norm", x)));
    Tensor y = s.rmsNorm("post_attention_norm", h);
    Experts.Routing routing =
        Experts.softmaxOverSelected().scaledByKey(s).withActivation(GluKind.SWIGLU_OAI);
    return Experts.of(s, y, routing).add(h);
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    RopeParameters rope = GemmaBlock.rope(s, s.h().rope().base(), s.h().rope().scale());
    LayerScope.Qkv p = s.qkv(x);
    LayerScope.Attention options = LayerScope.Attention.scaled(s.h().attentionScale()).withSinks();
    Tensor q = s.ropePlain(p.q(), rope);
    Tensor k = s.ropePlain(p.k(), rope);
    return s.linear("attn_output", s.attend(q, k, p.v(), options));
  }
}
