package io.gatun.model.adapter;

import io.gatun.tensor.ShapeException;
import java.util.List;

/**
 * Trained keys and values that every row of a prompt sees before the prompt's own, in each layer
 * (arXiv 2101.00190). Keys are as a cache holds them, behind norms and rotary positions.
 *
 * @param rows P, how many positions
 * @param keyWidth D·G, numbers of one position's keys in a layer
 * @param valueWidth the same of its values
 * @param keys [D·G, P] of each layer
 * @param values [D·G, P] of each layer
 */
public record KeyValuePrefix(
    String name,
    String architecture,
    int rows,
    int keyWidth,
    int valueWidth,
    List<float[]> keys,
    List<float[]> values)
    implements Adapter {
  public KeyValuePrefix {
    keys = List.copyOf(keys);
    values = List.copyOf(values);
    if (rows < 1 || keyWidth < 1 || valueWidth < 1 || keys.isEmpty()) {
      throw new ShapeException(
          "%s: a prefix of %d rows of %d and %d values in %d layers"
              .formatted(name, rows, keyWidth, valueWidth, keys.size()));
    }
    if (values.size() != keys.size()) {
      throw new ShapeException(
          "%s: keys of %d layers, but values of %d".formatted(name, keys.size(), values.size()));
    }
    for (int layer = 0; layer < keys.size(); layer++) {
      if (keys.get(layer).length != (long) rows * keyWidth
          || values.get(layer).length != (long) rows * valueWidth) {
        throw new ShapeException(
            "%s: layer %d has %d keys and %d values, not %d rows of %d and %d"
                .formatted(
                    name,
                    layer,
                    keys.get(layer).length,
                    values.get(layer).length,
                    rows,
                    keyWidth,
                    valueWidth));
      }
    }
  }

  /** How many layers have one. */
  public int layers() {
    return keys.size();
  }

  @Override
  public long bytes() {
    return 4L * rows * (keyWidth + valueWidth) * layers();
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
    return "%s: prefix of %d rows in %d layers".formatted(name, rows, layers());
  }
}
