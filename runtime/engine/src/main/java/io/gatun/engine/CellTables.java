package io.gatun.engine;

import io.gatun.model.KvSize;
import java.util.Optional;

/**
 * The cells of an engine: those of layers that see everything and, when layers with a window have
 * fewer, those of their own.
 *
 * @param window how many tokens layers with a window see
 * @owner the engine's thread
 */
record CellTables(CellTable full, Optional<CellTable> windowed, int window) {

  static CellTables of(KvSize size, int window) {
    return new CellTables(
        new CellTable(size.cells()),
        size.split() ? Optional.of(new CellTable(size.windowed())) : Optional.empty(),
        window);
  }

  /** How many tokens there is room for. */
  int free() {
    return windowed.map(w -> Math.min(w.free(), full.free())).orElse(full.free());
  }
}
