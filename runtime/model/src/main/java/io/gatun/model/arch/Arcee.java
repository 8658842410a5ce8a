package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.tensor.Op.UnaryKind;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Arcee AFM: Llama with a feed-forward of two matrices around a squared ReLU.
 *
 * @source arcee.ai/blog/announcing-the-arcee-foundation-model-family; llama.cpp v0.4.0,
 *     src/models/arcee.cpp
 */
public final class Arcee implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("arcee");
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, attention(s, s.rmsNorm("attn_norm", x)));
    Tensor up = s.linear("ffn_up", s.rmsNorm("ffn_norm", h)).unary(UnaryKind.RELU);
    return s.linear("ffn_down", up.mul(up)).add(h);
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    LayerScope.Qkv p = s.qkv(x);
    Tensor attended = s.attend(s.rope(p.q()), s.rope(p.k()), p.v(), Scales.attention(s));
    return s.linear("attn_output", attended);
  }
}
