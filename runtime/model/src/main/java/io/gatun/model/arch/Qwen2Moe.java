package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Qwen 1.5 and 2 MoE: Qwen 2 with experts, and a gated expert that every token uses.
 *
 * @source arXiv 2407.10671; llama.cpp v0.4.0, src/models/qwen2moe.cpp
 */
public final class Qwen2Moe implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("qwen2moe");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, RotaryAttention.of(s, s.rmsNorm("attn_norm", x)));
    Tensor y = s.rmsNorm("ffn_norm", h);
    Tensor routed = Experts.of(s, y, Experts.softmax().scaledByKey(s));
    Tensor gate = Experts.sharedGate(s, y); // [1, T]
    return routed.add(Experts.shared(s, y).mul(gate)).add(h);
  }
}
