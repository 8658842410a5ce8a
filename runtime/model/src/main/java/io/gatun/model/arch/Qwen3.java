package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Qwen 3: Llama with normalised queries and keys, head by head.
 *
 * @source arXiv 2505.09388; llama.cpp v0.4.0, src/models/qwen3.cpp
 */
public final class Qwen3 implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("qwen3");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, attention(s, s.rmsNorm("attn_norm", x)));
    return s.swiglu(s.rmsNorm("ffn_norm", h)).add(h);
  }

  /** Of the tokens yes and no. */
  @Override
  public Tensor scores(ModelScope s, Tensor x) {
    return Architecture.super.scores(s, x).softMax();
  }

  static Tensor attention(LayerScope s, Tensor x) {
    LayerScope.Qkv p = s.qkv(x);
    Tensor q = s.ropePlain(s.rmsNorm("attn_q_norm", p.q()));
    Tensor k = s.ropePlain(s.rmsNorm("attn_k_norm", p.k()));
    return s.linear("attn_output", s.attend(q, k, p.v()));
  }
}
