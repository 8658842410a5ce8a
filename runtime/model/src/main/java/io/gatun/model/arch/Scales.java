package io.gatun.model.arch;

import io.gatun.model.Hyperparams;
import io.gatun.model.LayerScope;
import io.gatun.model.ModelFormatException;
import io.gatun.model.Temperature;
import java.util.Optional;

/** Factors that several families take from the same metadata keys. */
final class Scales {
  private Scales() {}

  /**
   * Queries that grow by {@code attention.temperature_scale}, where it is given and not 0.
   *
   * @param length of texts that change nothing
   */
  static Optional<Temperature> temperature(Hyperparams h, int length) {
    float scale = (float) h.keys().number("attention.temperature_scale", 0);
    if (scale == 0f) {
      return Optional.empty();
    }
    if (length < 1) {
      throw new ModelFormatException(
          "%s: %s.attention.temperature_scale is %s, but the length to which it belongs is %d"
              .formatted(h.metadata().file(), h.architecture(), scale, length));
    }
    return Optional.of(new Temperature(length, scale, 0f));
  }

  /** {@code attention.scale} where it is given and not 0, else 1/√D. */
  static LayerScope.Attention attention(LayerScope s) {
    float given = (float) s.h().keys().number("attention.scale", 0);
    return LayerScope.Attention.scaled(given == 0f ? s.h().attentionScale() : given);
  }
}
