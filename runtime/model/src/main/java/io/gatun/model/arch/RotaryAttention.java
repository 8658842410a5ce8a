package io.gatun.model.arch;

import io.gatun.model.LayerScope;
import io.gatun.tensor.Tensor;

/** The attention that most families share: rotary positions without factors, scale 1/√D. */
final class RotaryAttention {
  private RotaryAttention() {}

  /** [E, T] → [E, T]. */
  static Tensor of(LayerScope s, Tensor x) {
    LayerScope.Qkv p = s.qkv(x);
    return s.linear("attn_output", s.attend(s.ropePlain(p.q()), s.ropePlain(p.k()), p.v()));
  }
}
