package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.Temperature;
import io.gatun.tensor.Tensor;
import java.util.Optional;
import java.util.Set;

/**
 * Llama 1 to 3, Mistral, Ministral 3 and Mixtral: a pre-norm decoder with rotary positions,
 * grouped-query attention, and SwiGLU or experts. Queries of Ministral 3 grow with their position.
 *
 * @source arXiv 2302.13971, 2401.04088; llama.cpp v0.4.0, src/models/llama.cpp, mistral3.cpp
 */
public final class Llama implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("llama", "mistral3");
  }

  @Override
  public Optional<Temperature> temperature(Hyperparams h) {
    return Scales.temperature(h, h.rope().originalContext());
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
    Tensor q = s.rope(p.q());
    Tensor grown = s.grows() ? s.tempered(q) : q;
    Tensor attended = s.attend(grown, s.rope(p.k()), p.v(), Scales.attention(s));
    return s.linear("attn_output", attended);
  }
}
