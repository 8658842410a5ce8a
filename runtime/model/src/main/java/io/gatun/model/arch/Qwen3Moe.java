package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Qwen 3 MoE: Qwen 3 with experts whose weights are normalised.
 *
 * @source arXiv 2505.09388; llama.cpp v0.4.0, src/models/qwen3moe.cpp
 */
public final class Qwen3Moe implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("qwen3moe");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, Qwen3.attention(s, s.rmsNorm("attn_norm", x)));
    Tensor y = s.rmsNorm("ffn_norm", h);
    return Experts.of(s, y, Experts.softmax().normalised().scaledByKey(s)).add(h);
  }
}
