package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.gguf.GgufMetadata;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * dots.llm1 and Ling 2: Qwen 3 with experts behind the first layers, some of which every token
 * uses.
 *
 * @source arXiv 2506.05767, 2510.22115; llama.cpp v0.4.0, src/models/dots1.cpp, bailingmoe2.cpp
 */
public final class Dots1 implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("dots1", "bailingmoe2");
  }

  @Override
  public boolean neox() {
    return true;
  }

  @Override
  public Hyperparams hyperparams(GgufMetadata metadata) {
    return NextTokens.without(Hyperparams.read(metadata, neox()));
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, Qwen3.attention(s, s.rmsNorm("attn_norm", x)));
    Tensor y = s.rmsNorm("ffn_norm", h);
    return (Experts.onLayer(s) ? experts(s, y) : s.swiglu(y)).add(h);
  }

  private static Tensor experts(LayerScope s, Tensor x) {
    return Experts.of(s, x, Experts.softmax().byKeys(s)).add(Experts.shared(s, x));
  }
}
