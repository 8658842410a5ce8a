package io.gatun.model;

import io.gatun.tensor.Tensor;
import java.util.Set;

/**
 * A family that only libllama computes: nothing is known of its layers.
 *
 * @param causal whether each token sees only those before it
 */
record ForeignArchitecture(String name, boolean causal) implements Architecture {
  @Override
  public Set<String> names() {
    return Set.of(name);
  }

  @Override
  public Tensor layer(LayerScope s, Tensor x) {
    throw new UnsupportedModelException(
        "%s: libllama computes %s, so Gatun has no graph of it that could be changed or trained"
            .formatted(s.h().metadata().file(), name));
  }
}
