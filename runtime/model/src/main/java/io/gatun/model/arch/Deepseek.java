package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * DeepSeek 1 with experts, and Ling 1: Llama with experts behind the first layers, some of which
 * every token uses.
 *
 * @source arXiv 2401.06066, 2503.05139; llama.cpp v0.4.0, src/models/deepseek.cpp, bailingmoe.cpp
 */
public final class Deepseek implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("deepseek", "bailingmoe");
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, attention(s, s.rmsNorm("attn_norm", x)));
    Tensor y = s.rmsNorm("ffn_norm", h);
    return (Experts.onLayer(s) ? experts(s, y) : s.swiglu(y)).add(h);
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    LayerScope.Qkv p = s.qkv(x);
    Tensor attended = s.attend(s.rope(p.q()), s.rope(p.k()), p.v(), Scales.attention(s));
    return s.linear("attn_output", attended);
  }

  private static Tensor experts(LayerScope s, Tensor x) {
    return Experts.of(s, x, Experts.softmax().byKeys(s)).add(Experts.shared(s, x));
  }
}
