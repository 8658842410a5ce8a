package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * EXAONE 3: Llama whose rotary positions pair the halves of a head.
 *
 * @source arXiv 2408.03541; llama.cpp v0.4.0, src/models/exaone.cpp
 */
public final class Exaone implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("exaone");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, attention(s, s.rmsNorm("attn_norm", x)));
    return s.swiglu(s.rmsNorm("ffn_norm", h)).add(h);
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    LayerScope.Qkv p = s.qkv(x);
    return s.linear("attn_output", s.attend(s.rope(p.q()), s.rope(p.k()), p.v()));
  }
}
