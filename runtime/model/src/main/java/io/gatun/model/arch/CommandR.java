package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Command R: attention and feed-forward side by side behind one mean-and-variance norm, and a
 * factor on the logits; Command R+ normalises heads of queries and keys.
 *
 * @source huggingface.co/CohereForAI/c4ai-command-r-v01; llama.cpp v0.4.0, src/models/command-r.cpp
 */
public final class CommandR implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("command-r");
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor y = s.layerNorm("attn_norm", x);
    LayerScope.Qkv p = s.qkv(y);
    Tensor q = s.ropePlain(normed(s, "attn_q_norm", p.q()));
    Tensor k = s.ropePlain(normed(s, "attn_k_norm", p.k()));
    return beside(s, x, y, s.linear("attn_output", s.attend(q, k, p.v())));
  }

  @Override
  public Tensor finish(ModelScope s, Tensor x) {
    return s.layerNorm("output_norm", x);
  }

  @Override
  public Tensor head(ModelScope s, Tensor x) {
    return scaledHead(s, x);
  }

  /** x + feed-forward(y) + attended, where y is what attention saw too. */
  static Tensor beside(LayerScope s, Tensor x, Tensor y, Tensor attended) {
    Tensor kept = s.wanted(attended);
    Tensor from = s.wanted(x);
    return s.swiglu(s.wanted(y)).add(from).add(kept);
  }

  static Tensor scaledHead(ModelScope s, Tensor x) {
    Tensor logits = s.output(x);
    float scale = (float) s.h().keys().number("logit_scale", 0);
    return scale == 0f ? logits : logits.scale(scale);
  }

  private static Tensor normed(LayerScope s, String name, Tensor heads) {
    return s.has(name + ".weight") ? s.layerNorm(name, heads) : heads;
  }
}
