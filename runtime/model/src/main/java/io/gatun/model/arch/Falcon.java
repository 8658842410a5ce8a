package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.tensor.Op.UnaryKind;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Falcon: attention and feed-forward side by side; the larger ones have a norm for each, the
 * smaller ones share one.
 *
 * @source arXiv 2311.16867; llama.cpp v0.4.0, src/models/falcon.cpp
 */
public final class Falcon implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("falcon");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor y = s.layerNorm("attn_norm", x);
    Tensor seen = s.has("attn_norm_2.weight") ? s.layerNorm("attn_norm_2", x) : y;
    Tensor attended = s.wanted(RotaryAttention.of(s, seen));
    Tensor from = s.wanted(x);
    return s.ungated(UnaryKind.GELU, s.wanted(y)).add(attended).add(from);
  }

  @Override
  public Tensor finish(ModelScope s, Tensor x) {
    return s.layerNorm("output_norm", x);
  }
}
