package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * ERNIE 4.5: Llama without frequency factors; the larger ones have experts on some layers, chosen
 * with a bias that keeps them equally busy.
 *
 * @source ernie.baidu.com/blog/publication/ERNIE_Technical_Report.pdf; llama.cpp v0.4.0,
 *     src/models/ernie4-5.cpp, ernie4-5-moe.cpp
 */
public final class Ernie45 implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("ernie4_5", "ernie4_5-moe");
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, RotaryAttention.of(s, s.rmsNorm("attn_norm", x)));
    Tensor y = s.rmsNorm("ffn_norm", h);
    return (Experts.onLayer(s) ? experts(s, y) : s.swiglu(y)).add(h);
  }

  private static Tensor experts(LayerScope s, Tensor x) {
    Tensor routed = Experts.of(s, x, Experts.softmax().normalised());
    return s.has("ffn_up_shexp.weight") ? routed.add(Experts.shared(s, x)) : routed;
  }
}
