package io.gatun.engine;

/**
 * Forgets positions in the middle of a sequence that libllama keeps. Where libllama cannot move
 * what is behind them, that is forgotten too, and computed again when the sequence is used.
 *
 * @owner the engine's thread
 */
final class LlamaMover implements KeyMover {
  private final LlamaSequences sequences;

  LlamaMover(LlamaSequences sequences) {
    this.sequences = sequences;
  }

  @Override
  public void requireMovable() {}

  @Override
  public int cellsNeeded(CellList cells, int to) {
    return 0;
  }

  @Override
  public void remove(CellList cells, int from, int to) {
    if (sequences.movable(cells, from)) {
      sequences.remove(cells, from, to);
      cells.remove(from, to);
    } else {
      cells.truncate(from);
    }
  }

  @Override
  public void close() {}
}
