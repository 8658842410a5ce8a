package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Hunyuan, dense and with experts: Llama with norms of each head of queries and keys behind their
 * rotation; where there are experts, one more is used by every token.
 *
 * @source arXiv 2411.02265; llama.cpp v0.4.0, src/models/hunyuan-dense.cpp, hunyuan-moe.cpp
 */
public final class Hunyuan implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("hunyuan-dense", "hunyuan-moe");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, attention(s, s.rmsNorm("attn_norm", x)));
    Tensor y = s.rmsNorm("ffn_norm", h);
    return (s.h().expertCount() > 0 ? experts(s, y) : s.swiglu(y)).add(h);
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    LayerScope.Qkv p = s.qkv(x);
    Tensor q = s.rmsNorm("attn_q_norm", s.rope(p.q()));
    Tensor k = s.rmsNorm("attn_k_norm", s.rope(p.k()));
    return s.linear("attn_output", s.attend(q, k, p.v()));
  }

  private static Tensor experts(LayerScope s, Tensor x) {
    Tensor always = Experts.shared(s, x);
    return Experts.of(s, x, Experts.softmax().normalised().scaledByKey(s)).add(always);
  }
}
