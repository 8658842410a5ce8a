package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * StableLM, and Orion: Llama with mean-and-variance norms. StableLM 2 (12B) normalises heads of
 * queries and keys, and has attention and feed-forward side by side.
 *
 * @source arXiv 2402.17834, 2401.12246; llama.cpp v0.4.0, src/models/stablelm.cpp, orion.cpp
 */
public final class StableLm implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("stablelm", "orion");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor y = s.layerNorm("attn_norm", x);
    Tensor h = s.residual(x, attention(s, y));
    Tensor seen = s.has("ffn_norm.weight") ? s.layerNorm("ffn_norm", h) : s.wanted(y);
    return s.swiglu(seen).add(h);
  }

  private static Tensor attention(LayerScope s, Tensor x) {
    LayerScope.Qkv p = s.qkv(x);
    Tensor q = s.ropePlain(normed(s, "attn_q_norm", p.q()));
    Tensor k = s.ropePlain(normed(s, "attn_k_norm", p.k()));
    return s.linear("attn_output", s.attend(q, k, p.v()));
  }

  private static Tensor normed(LayerScope s, String name, Tensor heads) {
    return s.has(name + ".weight") ? s.layerNorm(name, heads) : heads;
  }

  @Override
  public Tensor finish(ModelScope s, Tensor x) {
    return s.layerNorm("output_norm", x);
  }
}
