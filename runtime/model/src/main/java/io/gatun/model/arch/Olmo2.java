package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.tensor.RopeParameters;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * OLMo 2 and 3: norms after attention and feed-forward instead of before, and over all heads of
 * queries and keys at once; OLMo 3 adds sliding layers, which extend no context.
 *
 * @source arXiv 2501.00656; llama.cpp v0.4.0, src/models/olmo2.cpp
 */
public final class Olmo2 implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("olmo2");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public boolean sliding(Hyperparams h, int layer) {
    return h.keys().sliding(layer, 4);
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residualNormed(x, "post_attention_norm", attention(s, x));
    return s.rmsNorm("post_ffw_norm", s.swiglu(h)).add(h);
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    RopeParameters rope = s.h().rope();
    if (s.sliding()) {
      rope = rope.unscaled();
    }
    return WideNorm.attention(s, x, rope);
  }
}
