package io.gatun.engine;

import io.gatun.model.adapter.Adapter;

/**
 * An adapter and how strongly it acts: 1 as trained, 0 not at all, negative against its direction.
 *
 * @param scale not used for soft prompts and prefixes, which are there or not
 */
public record AdapterUse(Adapter adapter, float scale) {
  public AdapterUse {
    if (!Float.isFinite(scale)) {
      throw new IllegalArgumentException(
          "the scale of adapter %s is %s".formatted(adapter.name(), scale));
    }
  }
}
