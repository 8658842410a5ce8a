package io.gatun.model;

/**
 * How many cells a KV cache has.
 *
 * @param cells of layers that see everything: tokens of all sequences together
 * @param windowed of layers with a window, which forget what no later token can see; equal to
 *     {@code cells} when they have no fewer
 */
public record KvSize(int cells, int windowed) {
  public KvSize {
    if (windowed < 0 || windowed > cells) {
      throw new IllegalArgumentException(
          "windowed cells must be 0 to %d, got %d".formatted(cells, windowed));
    }
  }

  /** The same for all layers. */
  public static KvSize of(int cells) {
    return new KvSize(cells, cells);
  }

  /** Whether layers with a window have cells of their own. */
  public boolean split() {
    return windowed < cells;
  }
}
