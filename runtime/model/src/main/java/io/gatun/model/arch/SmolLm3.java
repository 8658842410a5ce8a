package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * SmolLM 3: Llama without positions on every fourth layer.
 *
 * @source arXiv 2501.18795 for the idea; llama.cpp v0.4.0, src/models/smollm3.cpp
 */
public final class SmolLm3 implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("smollm3");
  }

  private static final int NO_ROPE_PERIOD = 4;

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, attention(s, s.rmsNorm("attn_norm", x)));
    return s.swiglu(s.rmsNorm("ffn_norm", h)).add(h);
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    boolean turned = (s.layer() + 1) % NO_ROPE_PERIOD != 0;
    LayerScope.Qkv p = s.qkv(x);
    Tensor q = turned ? s.ropePlain(p.q()) : p.q();
    Tensor k = turned ? s.ropePlain(p.k()) : p.k();
    return s.linear("attn_output", s.attend(q, k, p.v(), Scales.attention(s)));
  }
}
