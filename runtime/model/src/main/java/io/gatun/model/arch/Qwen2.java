package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Qwen 2 and 2.5: Llama with biases on queries, keys and values.
 *
 * @source arXiv 2407.10671; llama.cpp v0.4.0, src/models/qwen2.cpp
 */
public final class Qwen2 implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("qwen2");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    return block(s, x);
  }

  static Tensor block(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, RotaryAttention.of(s, s.rmsNorm("attn_norm", x)));
    return s.swiglu(s.rmsNorm("ffn_norm", h)).add(h);
  }
}
