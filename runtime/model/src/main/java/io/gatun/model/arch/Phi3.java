package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.tensor.Op.GluKind;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Phi 3 and 4: Llama with fused projections, and long or short frequency factors by the size of the
 * context. Sliding windows in its files are ignored, as llama.cpp does.
 *
 * @source arXiv 2404.14219; llama.cpp v0.4.0, src/models/phi3.cpp
 */
public final class Phi3 implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("phi3");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, attention(s, s.rmsNorm("attn_norm", x)));
    Tensor both = s.linear("ffn_up", s.rmsNorm("ffn_norm", h)); // [2F, T]
    return h.add(s.linear("ffn_down", both.gluFused(GluKind.SWIGLU)));
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    LayerScope.Qkv p = s.qkv(x);
    Tensor q = s.rope(p.q()).scale(s.h().attentionScale());
    Tensor attended = s.attend(q, s.rope(p.k()), p.v(), LayerScope.Attention.scaled(1f));
    return s.linear("attn_output", attended);
  }
}
