package io.gatun.model.arch;

import io.gatun.model.LayerScope;

/** Factors that several families take from the same metadata keys. */
final class Scales {
  private Scales() {}

  /** {@code attention.scale} where it is given and not 0, else 1/√D. */
  static LayerScope.Attention attention(LayerScope s) {
    float given = (float) s.h().keys().number("attention.scale", 0);
    return LayerScope.Attention.scaled(given == 0f ? s.h().attentionScale() : given);
  }
}
