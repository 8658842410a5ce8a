package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.tensor.Op.GluKind;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Gemma 1: Llama with GELU, a scaled embedding that is also the output matrix, and wide heads.
 *
 * @source arXiv 2403.08295; llama.cpp v0.4.0, src/models/gemma.cpp
 */
public final class Gemma implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("gemma");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Tensor embed(ModelScope s, Tensor tokens) {
    return GemmaBlock.embed(s, tokens);
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, attention(s, s.rmsNorm("attn_norm", x)));
    return s.gated(GluKind.GEGLU, s.rmsNorm("ffn_norm", h)).add(h);
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    LayerScope.Qkv p = s.qkv(x);
    Tensor q = s.ropePlain(p.q()).scale(s.h().attentionScale());
    Tensor attended = s.attend(q, s.ropePlain(p.k()), p.v(), LayerScope.Attention.scaled(1f));
    return s.linear("attn_output", attended);
  }
}
