package io.gatun.model.arch;

import io.gatun.model.Hyperparams;
import io.gatun.model.ModelFormatException;

/** The last layers of some files predict tokens behind the next one; logits do not need them. */
final class NextTokens {
  private NextTokens() {}

  /** A model without such layers. */
  static Hyperparams without(Hyperparams h) {
    int count = h.keys().integer("nextn_predict_layers", 0);
    if (count >= h.layerCount()) {
      throw new ModelFormatException(
          "%s: %s.nextn_predict_layers is %d, but there are %d layers (block_count)"
              .formatted(h.metadata().file(), h.architecture(), count, h.layerCount()));
    }
    return count == 0 ? h : h.withoutLastLayers(count);
  }
}
