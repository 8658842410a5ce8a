package io.gatun.model.adapter;

import io.gatun.tensor.ShapeException;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * Directions that are added to the hidden state behind some layers (arXiv 2310.01405).
 *
 * @param width E, the model's embedding length
 * @param directions [E] by the number of the layer whose output they are added to
 */
public record ControlVector(
    String name, String architecture, int width, Map<Integer, float[]> directions)
    implements Adapter {
  public ControlVector {
    if (directions.isEmpty()) {
      throw new IllegalArgumentException(name + ": a control vector without directions");
    }
    directions = Collections.unmodifiableMap(new TreeMap<>(directions));
    directions.forEach((layer, direction) -> {
      if (layer < 0 || direction.length != width) {
        throw new ShapeException(
            "%s: the direction of layer %d has %d values, not %d"
                .formatted(name, layer, direction.length, width));
      }
    });
  }

  @Override
  public long bytes() {
    return 4L * width * directions.size();
  }

  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }

  @Override
  public String toString() {
    return "%s: control vector of %d layers".formatted(name, directions.size());
  }
}
