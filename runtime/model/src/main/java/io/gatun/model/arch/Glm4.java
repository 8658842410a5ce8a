package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.gguf.GgufMetadata;
import io.gatun.tensor.Op.GluKind;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * GLM 4 (0414): norms before and after attention and feed-forward, one matrix for gate and up, and
 * rotary positions on half of each head.
 *
 * @source arXiv 2406.12793; llama.cpp v0.4.0, src/models/glm4.cpp
 */
public final class Glm4 implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("glm4");
  }

  @Override
  public Hyperparams hyperparams(GgufMetadata metadata) {
    Hyperparams h = Hyperparams.read(metadata, neox());
    if (metadata.integers("glm4.rope.dimension_sections").isPresent()) {
      throw new UnsupportedModelException(
          "%s: glm4.rope.dimension_sections: the vision model's positions are not supported, only the text model's"
              .formatted(metadata.file()));
    }
    return h;
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor attended = RotaryAttention.of(s, s.rmsNorm("attn_norm", x));
    Tensor h = s.residualNormed(x, "post_attention_norm", attended);
    Tensor both = s.linear("ffn_up", s.rmsNorm("ffn_norm", h)); // [2F, T]
    Tensor ffn = s.linear("ffn_down", both.gluFused(GluKind.SWIGLU));
    return s.rmsNorm("post_ffw_norm", ffn).add(h);
  }
}
