package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.tensor.Op.UnaryKind;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Nemotron and Minitron: mean-and-variance norms and a feed-forward of two matrices around a
 * squared ReLU; rotary positions on a part of each head.
 *
 * @source arXiv 2402.16819, 2109.08668; llama.cpp v0.4.0, src/models/nemotron.cpp
 */
public final class Nemotron implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("nemotron");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, RotaryAttention.of(s, s.layerNorm("attn_norm", x)));
    Tensor up = s.linear("ffn_up", s.layerNorm("ffn_norm", h)).unary(UnaryKind.RELU);
    return s.linear("ffn_down", up.mul(up)).add(h);
  }

  @Override
  public Tensor finish(ModelScope s, Tensor x) {
    return s.layerNorm("output_norm", x);
  }
}
