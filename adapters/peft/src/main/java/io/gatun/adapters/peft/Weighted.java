package io.gatun.adapters.peft;

import io.gatun.model.adapter.Adapter;

/**
 * An adapter and how strongly it counts.
 *
 * @param scale 1 for as it was trained
 */
public record Weighted(Adapter adapter, float scale) {
  public Weighted {
    if (!Float.isFinite(scale)) {
      throw new IllegalArgumentException("%s: the scale is %s".formatted(adapter.name(), scale));
    }
  }

  public static Weighted of(Adapter adapter) {
    return new Weighted(adapter, 1);
  }
}
