package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.tensor.Op.UnaryKind;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Phi 1, 1.5 and 2: attention and feed-forward side by side behind one mean-and-variance norm,
 * biases everywhere, and rotary positions on a part of each head.
 *
 * @source arXiv 2309.05463; llama.cpp v0.4.0, src/models/phi2.cpp
 */
public final class Phi2 implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("phi2");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor y = s.layerNorm("attn_norm", x);
    Tensor attended = s.wanted(attention(s, y));
    Tensor from = s.wanted(x);
    return attended.add(s.ungated(UnaryKind.GELU, s.wanted(y))).add(from);
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    LayerScope.Qkv p = s.qkv(x);
    Tensor q = s.ropePlain(p.q()).scale(s.h().attentionScale());
    Tensor attended = s.attend(q, s.ropePlain(p.k()), p.v(), LayerScope.Attention.scaled(1f));
    return s.linear("attn_output", attended);
  }

  @Override
  public Tensor finish(ModelScope s, Tensor x) {
    return s.layerNorm("output_norm", x);
  }
}
