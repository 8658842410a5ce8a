package io.gatun.engine;

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

  @Override
  void close();
}
