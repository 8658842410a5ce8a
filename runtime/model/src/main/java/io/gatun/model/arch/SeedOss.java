package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Seed-OSS: Llama whose second norm has another name.
 *
 * @source github.com/ByteDance-Seed/seed-oss; llama.cpp v0.4.0, src/models/seed-oss.cpp
 */
public final class SeedOss implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("seed_oss");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, attention(s, s.rmsNorm("attn_norm", x)));
    return s.swiglu(s.rmsNorm("post_attention_norm", h)).add(h);
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    LayerScope.Qkv p = s.qkv(x);
    Tensor q = s.ropePlain(p.q());
    Tensor attended = s.attend(q, s.ropePlain(p.k()), p.v(), Scales.attention(s));
    return s.linear("attn_output", attended);
  }
}
