package io.gatun.model.arch;

import io.gatun.model.LayerScope;
import io.gatun.tensor.RopeParameters;
import io.gatun.tensor.Tensor;

/**
 * Attention of the OLMo families: queries and keys are normalised before they are split into heads.
 */
final class WideNorm {
  private WideNorm() {}

  static Tensor attention(LayerScope s, Tensor x, RopeParameters rope) {
    int d = s.h().headDim();
    Tensor q = s.rmsNorm("attn_q_norm", s.linear("attn_q", x)); // [D·H, T]
    Tensor k = s.rmsNorm("attn_k_norm", s.linear("attn_k", x)); // [D·G, T]
    Tensor v = s.linear("attn_v", x);
    return s.linear(
        "attn_output",
        s.attend(
            s.ropePlain(s.heads(q, d, s.h().headCount()), rope),
            s.ropePlain(s.heads(k, d, s.h().kvHeadCount()), rope),
            s.heads(v, s.h().valueDim(), s.h().kvHeadCount())));
  }
}
