package io.gatun.engine;

import java.util.Arrays;

/**
 * The cells of one sequence in order of position: what other engines call a page table, with pages
 * of one token.
 *
 * @owner the engine's thread
 */
final class CellList {
  private final CellTable table;
  private int[] cells = new int[64];
  private int size;

  CellList(CellTable table) {
    this.table = table;
  }

  int size() {
    return size;
  }

  /** The cell of a position. */
  int at(int position) {
    return cells[position];
  }

  /** Takes a cell for the next position; false when there is none. */
  boolean append() {
    int cell = table.take();
    if (cell < 0) {
      return false;
    }
    if (size == cells.length) {
      cells = Arrays.copyOf(cells, 2 * size);
    }
    cells[size++] = cell;
    return true;
  }

  /** Forgets all positions from this one on: a rewind, without touching the others. */
  void truncate(int length) {
    while (size > length) {
      table.release(cells[--size]);
    }
  }

  /** Another sequence with the same past: cells are shared, nothing is copied. */
  CellList fork() {
    CellList copy = new CellList(table);
    copy.cells = Arrays.copyOf(cells, cells.length);
    copy.size = size;
    for (int i = 0; i < size; i++) {
      table.retain(cells[i]);
    }
    return copy;
  }
}
