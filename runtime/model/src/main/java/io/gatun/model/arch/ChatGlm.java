package io.gatun.model.arch;

import io.gatun.model.Architecture;
import io.gatun.model.LayerScope;
import io.gatun.tensor.Op.GluKind;
import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * ChatGLM 3 and GLM 4 (9B): Llama with one matrix for gate and up, and rotary positions on half of
 * each head.
 *
 * @source arXiv 2406.12793; llama.cpp v0.4.0, src/models/chatglm.cpp
 */
public final class ChatGlm implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of("chatglm");
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    Tensor h = s.residual(x, RotaryAttention.of(s, s.rmsNorm("attn_norm", x)));
    Tensor both = s.linear("ffn_up", s.rmsNorm("ffn_norm", h)); // [2F, T]
    return s.linear("ffn_down", both.gluFused(GluKind.SWIGLU)).add(h);
  }
}
