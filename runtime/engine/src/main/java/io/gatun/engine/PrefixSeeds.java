package io.gatun.engine;

import io.gatun.model.KvStore;
import io.gatun.model.adapter.KeyValuePrefix;
import java.util.Arrays;

/**
 * Puts prefixes into the cache: their keys and values are given, so that no row is computed.
 *
 * @owner the engine's thread
 */
final class PrefixSeeds {
  private final KvStore store;

  PrefixSeeds(KvStore store) {
    this.store = store;
  }

  /** Writes the cells of a sequence's prefixes, which it has just got. */
  void write(Sequence sequence) {
    int position = 0;
    for (AdapterUse use : sequence.request().adapters()) {
      if (use.adapter() instanceof KeyValuePrefix prefix) {
        for (int row = 0; row < prefix.rows(); row++) {
          put(prefix, row, sequence.cells(), position++);
        }
      }
    }
  }

  private void put(KeyValuePrefix prefix, int row, CellList cells, int position) {
    for (int layer = 0; layer < prefix.layers(); layer++) {
      store.put(
          layer,
          store.windowed(layer) ? cells.windowedAt(position) : cells.at(position),
          row(prefix.keys().get(layer), row, prefix.keyWidth()),
          row(prefix.values().get(layer), row, prefix.valueWidth()));
    }
  }

  private static float[] row(float[] all, int row, int width) {
    return Arrays.copyOfRange(all, row * width, (row + 1) * width);
  }
}
