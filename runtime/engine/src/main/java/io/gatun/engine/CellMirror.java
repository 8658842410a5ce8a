package io.gatun.engine;

/**
 * Keys and values that lie where Gatun does not see them: it is told what happens to the lists of
 * cells that stand for them.
 *
 * @owner the engine's thread
 */
interface CellMirror {
  /** For keys and values that lie in the cells themselves: there is nothing to tell. */
  CellMirror NONE =
      new CellMirror() {
        @Override
        public int truncated(CellList list, int length) {
          return length;
        }

        @Override
        public void forked(CellList from, CellList to) {}
      };

  /**
   * A list is going to keep only its first positions.
   *
   * @return how many of them really can be kept: all, or none
   */
  int truncated(CellList list, int length);

  /** A list has become the same as another. */
  void forked(CellList from, CellList to);
}
