package io.gatun.engine;

import io.gatun.model.KvSize;
import java.util.Optional;

/**
 * The cells of an engine: those of layers that see everything and, when layers with a window have
 * fewer, those of their own.
 *
 * @param window how many tokens layers with a window see
 * @param stepWindow the most cells of such layers that one sequence needs: a window and a step's
 *     rows
 * @param mirror what is told of every change
 * @owner the engine's thread
 */
record CellTables(
    CellTable full, Optional<CellTable> windowed, int window, int stepWindow, CellMirror mirror) {

  static CellTables of(KvSize size, int window, int batchRows) {
    return new CellTables(
        new CellTable(size.cells()),
        size.split() ? Optional.of(new CellTable(size.windowed())) : Optional.empty(),
        window,
        (int) Math.min(size.windowed(), (long) window + batchRows),
        CellMirror.NONE);
  }

  /** Those of keys and values that lie elsewhere, without windows. */
  static CellTables mirrored(int cells, CellMirror mirror) {
    return new CellTables(new CellTable(cells), Optional.empty(), 0, cells, mirror);
  }

  /**
   * Whether there is room for so many tokens of one sequence, step by step: in layers with a window
   * those at its end take the cells of those at its beginning.
   */
  boolean holds(int tokens) {
    return full.free() >= tokens
        && windowed.map(w -> w.free() >= Math.min(tokens, stepWindow)).orElse(true);
  }

  /** How many tokens of one step there is room for. */
  int free() {
    return windowed.map(w -> Math.min(w.free(), full.free())).orElse(full.free());
  }
}
