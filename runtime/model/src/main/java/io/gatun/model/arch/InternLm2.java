package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * InternLM 2 and 3, and XVERSE: Llama without frequency factors.
 *
 * @source arXiv 2403.17297; llama.cpp v0.4.0, src/models/internlm2.cpp, xverse.cpp
 */
public final class InternLm2 implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("internlm2", "xverse");
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, RotaryAttention.of(s, s.rmsNorm("attn_norm", x)));
    return s.swiglu(s.rmsNorm("ffn_norm", h)).add(h);
  }
}
