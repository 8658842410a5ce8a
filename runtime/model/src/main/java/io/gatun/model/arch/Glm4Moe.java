package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.gguf.GgufMetadata;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * GLM 4.5 and 4.6: experts behind the first layers, rotary positions on half of each head; the
 * largest normalises heads of queries and keys.
 *
 * @source arXiv 2508.06471; llama.cpp v0.4.0, src/models/glm4-moe.cpp
 */
public final class Glm4Moe implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("glm4moe");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Hyperparams hyperparams(GgufMetadata metadata) {
    if (metadata.has("glm4moe.rope.dimension_sections")) {
      throw new UnsupportedModelException(
          "%s: glm4moe.rope.dimension_sections: the vision model's positions are not supported, only the text model's"
              .formatted(metadata.file()));
    }
    return NextTokens.without(Hyperparams.read(metadata, neox()));
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, attention(s, s.rmsNorm("attn_norm", x)));
    Tensor y = s.rmsNorm("post_attention_norm", h);
    return (Experts.onLayer(s) ? experts(s, y) : s.swiglu(y)).add(h);
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    LayerScope.Qkv p = s.qkv(x);
    Tensor q = s.ropePlain(normed(s, "attn_q_norm", p.q()));
    Tensor k = s.ropePlain(normed(s, "attn_k_norm", p.k()));
    return s.linear("attn_output", s.attend(q, k, p.v()));
  }

  private static Tensor normed(LayerScope s, String name, Tensor heads) {
    return s.has(name + ".weight") ? s.rmsNorm(name, heads) : heads;
  }

  private static Tensor experts(LayerScope s, Tensor x) {
    Tensor routed = Experts.of(s, x, Experts.sigmoid().byKeys(s));
    return s.has("ffn_up_shexp.weight") ? routed.add(Experts.shared(s, x)) : routed;
  }
}
