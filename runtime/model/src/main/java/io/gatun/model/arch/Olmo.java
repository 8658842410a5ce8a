package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * OLMo: Llama with mean-and-variance norms that have no weights, and queries, keys and values
 * within bounds.
 *
 * @source arXiv 2402.00838; llama.cpp v0.4.0, src/models/olmo.cpp
 */
public final class Olmo implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("olmo");
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, RotaryAttention.of(s, normed(s, x)));
    return s.swiglu(normed(s, h)).add(h);
  }

  @Override
  public Tensor finish(ModelScope s, Tensor x) {
    return normed(s, x);
  }

  private static Tensor normed(ModelScope s, Tensor x) {
    return x.layerNorm((float) s.h().keys().number("attention.layer_norm_epsilon", 1e-5));
  }
}
