package io.gatun.engine;

import java.util.BitSet;

/**
 * Forgets positions in the middle of a sequence, so that those behind move.
 *
 * @owner the engine's thread
 */
interface KeyMover extends AutoCloseable {
  /**
   * Does nothing for models whose keys can move.
   *
   * @throws io.gatun.model.UnsupportedModelException for others
   */
  void requireMovable();

  /** How many cells have to be free before positions up to this one are forgotten. */
  int cellsNeeded(CellList cells, int to);

  /** Forgets the positions of [from, to) and moves what is behind them there. */
  void remove(CellList cells, int from, int to);

  /** {@link #cellsNeeded(CellList, int)} for positions that do not lie together. */
  default int cellsNeeded(CellList cells, BitSet gone) {
    return cellsNeeded(cells, gone.nextClearBit(gone.nextSetBit(0)));
  }

  /** Forgets positions, of which there is one at least. */
  default void remove(CellList cells, BitSet gone) {
    for (int last = gone.length() - 1; last >= 0; ) {
      int before = gone.previousClearBit(last);
      remove(cells, before + 1, last + 1);
      last = before < 0 ? -1 : gone.previousSetBit(before);
    }
  }

  @Override
  void close();
}
