package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.tensor.Op.UnaryKind;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * GPT-NeoX, Pythia and Dolly: mean-and-variance norms, biases everywhere, rotary positions on a
 * part of each head; attention and feed-forward side by side, or one after the other.
 *
 * @source arXiv 2204.06745, 2304.01373; llama.cpp v0.4.0, src/models/gptneox.cpp
 */
public final class GptNeoX implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("gptneox");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor attended = RotaryAttention.of(s, s.layerNorm("attn_norm", x));
    if (!s.h().keys().flag("use_parallel_residual", true)) {
      Tensor h = s.residual(x, attended);
      return s.ungated(UnaryKind.GELU, s.layerNorm("ffn_norm", h)).add(h);
    }
    Tensor kept = s.wanted(attended);
    Tensor from = s.wanted(x);
    return s.ungated(UnaryKind.GELU, s.layerNorm("ffn_norm", from)).add(from).add(kept);
  }

  @Override
  public Tensor finish(ModelScope s, Tensor x) {
    return s.layerNorm("output_norm", x);
  }
}
