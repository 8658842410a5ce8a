package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Llama 1 to 3, Mistral and Mixtral: a pre-norm decoder with rotary positions, grouped-query
 * attention, and SwiGLU or experts.
 *
 * @source arXiv 2302.13971, 2401.04088; llama.cpp v0.4.0, src/models/llama.cpp
 */
public final class Llama implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("llama");
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, attention(s, s.rmsNorm("attn_norm", x)));
    Tensor y = s.rmsNorm("ffn_norm", h);
    Tensor ffn =
        s.h().expertCount() > 0
            ? Experts.of(s, y, Experts.softmax().normalised().scaledByKey(s))
            : s.swiglu(y);
    return ffn.add(h);
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    LayerScope.Qkv p = s.qkv(x);
    Tensor attended = s.attend(s.rope(p.q()), s.rope(p.k()), p.v(), Scales.attention(s));
    return s.linear("attn_output", attended);
  }
}
