package io.gatun.engine;

/**
 * Which cells of the KV cache are in use, and by how many sequences: a cell holds one token's keys
 * and values, and forked sequences share cells.
 *
 * @owner the engine's thread
 */
final class CellTable {
  private final int[] references;
  private int free;
  private int firstFree;
  private int end;

  CellTable(int cells) {
    references = new int[cells];
    free = cells;
  }

  /** Takes the lowest free cell; −1 when there is none. */
  int take() {
    if (free == 0) {
      return -1;
    }
    int cell = firstFree;
    while (references[cell] != 0) {
      cell++;
    }
    references[cell] = 1;
    free--;
    firstFree = cell + 1;
    end = Math.max(end, cell + 1);
    return cell;
  }

  /** One more user of a cell. */
  void retain(int cell) {
    assert references[cell] > 0;
    references[cell]++;
  }

  /** One user less; the last one frees it. */
  void release(int cell) {
    assert references[cell] > 0;
    if (--references[cell] == 0) {
      free++;
      firstFree = Math.min(firstFree, cell);
      while (end > 0 && references[end - 1] == 0) {
        end--;
      }
    }
  }

  /** Whether a cell has one user only. */
  boolean own(int cell) {
    return references[cell] == 1;
  }

  int free() {
    return free;
  }

  int cells() {
    return references.length;
  }

  /** One behind the last cell in use. */
  int end() {
    return end;
  }
}
