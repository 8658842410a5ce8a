package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelScope;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * Command R7B and A: Command R with sliding windows, where three of four layers slide and only
 * these know positions.
 *
 * @source arXiv 2504.00698; llama.cpp v0.4.0, src/models/cohere2.cpp
 */
public final class Cohere2 implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("cohere2");
  }

  @Override
  public boolean sliding(Hyperparams h, int layer) {
    return h.keys().sliding(layer, 4);
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor y = s.layerNorm("attn_norm", x);
    LayerScope.Qkv p = s.qkv(y);
    Tensor q = s.sliding() ? s.rope(p.q()) : p.q();
    Tensor k = s.sliding() ? s.rope(p.k()) : p.k();
    return CommandR.beside(s, x, y, s.linear("attn_output", s.attend(q, k, p.v())));
  }

  @Override
  public Tensor finish(ModelScope s, Tensor x) {
    return s.layerNorm("output_norm", x);
  }

  @Override
  public Tensor head(ModelScope s, Tensor x) {
    return CommandR.scaledHead(s, x);
  }
}
