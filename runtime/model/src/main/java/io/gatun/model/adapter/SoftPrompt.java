package io.gatun.model.adapter;

import io.gatun.tensor.ShapeException;

/**
 * Trained embeddings that come before a prompt's own (arXiv 2104.08691).
 *
 * @param rows how many
 * @param width E, the model's embedding length
 * @param values [E, rows]
 */
public record SoftPrompt(String name, String architecture, int rows, int width, float[] values)
    implements Adapter {
  public SoftPrompt {
    if (rows < 1 || width < 1 || values.length != (long) rows * width) {
      throw new ShapeException(
          "%s: a soft prompt of %d rows of %d has %d values"
              .formatted(name, rows, width, values.length));
    }
  }

  @Override
  public long bytes() {
    return 4L * values.length;
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
    return "%s: soft prompt of %d rows".formatted(name, rows);
  }
}
