package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * OLMoE: experts, and a norm over all heads of queries and keys at once.
 *
 * @source arXiv 2409.02060; llama.cpp v0.4.0, src/models/olmoe.cpp
 */
public final class Olmoe implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("olmoe");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor attended = WideNorm.attention(s, s.rmsNorm("attn_norm", x), s.h().rope());
    Tensor h = s.residual(x, attended);
    Tensor y = s.rmsNorm("ffn_norm", h);
    return Experts.of(s, y, Experts.softmax().scaledByKey(s)).add(h);
  }
}
