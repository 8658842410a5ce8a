package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.tensor.Op.UnaryKind;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * StarCoder 2: mean-and-variance norms, biases everywhere, and a feed-forward of two matrices
 * around a GELU.
 *
 * @source arXiv 2402.19173; llama.cpp v0.4.0, src/models/starcoder2.cpp
 */
public final class StarCoder2 implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("starcoder2");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, RotaryAttention.of(s, s.layerNorm("attn_norm", x)));
    return s.ungated(UnaryKind.GELU, s.layerNorm("ffn_norm", h)).add(h);
  }

  @Override
  public Tensor finish(ModelScope s, Tensor x) {
    return s.layerNorm("output_norm", x);
  }
}
