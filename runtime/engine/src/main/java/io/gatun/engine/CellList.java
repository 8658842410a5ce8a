package io.gatun.engine;

import java.util.Arrays;
import java.util.BitSet;

/**
 * The cells of one sequence in order of position: what other engines call a page table, with pages
 * of one token. Layers with a window may have cells of their own, of which only the last ones are
 * held.
 *
 * @owner the engine's thread
 */
final class CellList {
  private final CellTables tables;
  private int[] cells = new int[64];
  private int[] windowed = new int[64];
  private int size;

  /** The first position that is held in layers with a window; all behind it are. */
  private int held;

  CellList(CellTables tables) {
    this.tables = tables;
  }

  int size() {
    return size;
  }

  /** The cell of a position. */
  int at(int position) {
    return cells[position];
  }

  /** The cell of a position in layers with a window. */
  int windowedAt(int position) {
    return tables.windowed().isPresent() ? windowed[position] : cells[position];
  }

  /** The first position that layers with a window still hold. */
  int held() {
    return held;
  }

  /** Takes a cell for the next position; false when there is none. */
  boolean append() {
    if (tables.free() == 0) {
      return false;
    }
    put(tables.full().take(), tables.windowed().map(CellTable::take).orElse(0));
    return true;
  }

  /**
   * Forgets all positions from this one on: a rewind, without touching the others. When a window
   * before it is no longer held, everything has to go, as it cannot be computed on from there.
   */
  void truncate(int length) {
    if (length >= size) {
      return;
    }
    boolean windowGone = held > Math.max(0, length - tables.window() + 1);
    int kept = windowGone ? 0 : tables.mirror().truncated(this, length);
    while (size > kept) {
      size--;
      release(size);
    }
    held = Math.min(held, size);
  }

  /**
   * Gives back the cells of windows that no further token can see, and keeps what the last one saw:
   * it is computed again when the same prompt comes again.
   */
  void dropUnseen() {
    if (tables.windowed().isPresent()) {
      forgetWindow(size - tables.window());
    }
  }

  /** Forgets what layers with a window hold before a position. */
  void forgetWindow(int before) {
    for (; held < Math.min(before, size); held++) {
      int position = held;
      tables.windowed().ifPresent(w -> w.release(windowed[position]));
    }
  }

  /** Another sequence with the same past: cells are shared, nothing is copied. */
  CellList fork() {
    CellList copy = new CellList(tables);
    copy.held = held;
    for (int i = 0; i < size; i++) {
      copy.share(cells[i], windowed[i], i >= held);
    }
    tables.mirror().forked(this, copy);
    return copy;
  }

  /**
   * Appends a cell that somebody else has too.
   *
   * @param holds whether its cell of layers with a window is still held
   */
  void share(int cell, int windowedCell, boolean holds) {
    tables.full().retain(cell);
    if (tables.windowed().isPresent() && holds) {
      tables.windowed().get().retain(windowedCell);
    }
    put(cell, windowedCell);
    if (!holds) {
      forgetWindow(size - 1);
      held = size;
    }
  }

  /** Forgets the positions of [from, to); later ones move there. */
  void remove(int from, int to) {
    BitSet gone = new BitSet();
    gone.set(from, to);
    remove(gone);
  }

  /** Forgets some positions; later ones move there. */
  void remove(BitSet gone) {
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (gone.get(i)) {
        release(i);
      } else {
        cells[kept] = cells[i];
        windowed[kept++] = windowed[i];
      }
    }
    size = kept;
    held -= gone.get(0, held).cardinality();
  }

  /** How many cells have to be taken before what lies behind a position can be changed. */
  int shared(int from) {
    return shared(from, new BitSet());
  }

  /** {@link #shared(int)} when some positions are not needed any more. */
  int shared(int from, BitSet without) {
    int all = count(tables.full(), cells, from, without);
    return Math.max(
        all,
        tables.windowed().map(w -> count(w, windowed, Math.max(from, held), without)).orElse(0));
  }

  /** Takes cells of its own in place of those that others have too: copy on write. */
  Copies own(int from) {
    return new Copies(
        own(tables.full(), cells, from),
        tables.windowed().map(w -> own(w, windowed, Math.max(from, held))).orElse(Moves.NONE));
  }

  /** What has to be copied, in layers that see everything and in those with a window. */
  record Copies(Moves full, Moves windowed) {}

  /** Cells to be copied to others. */
  record Moves(int[] from, int[] to) {
    static final Moves NONE = new Moves(new int[0], new int[0]);
  }

  private int count(CellTable table, int[] list, int from, BitSet without) {
    int count = 0;
    for (int i = from; i < size; i++) {
      count += table.own(list[i]) || without.get(i) ? 0 : 1;
    }
    return count;
  }

  private Moves own(CellTable table, int[] list, int from) {
    int[] before = new int[count(table, list, from, new BitSet())];
    int[] after = new int[before.length];
    int next = 0;
    for (int i = from; i < size; i++) {
      if (!table.own(list[i])) {
        before[next] = list[i];
        after[next] = table.take();
        table.release(list[i]);
        list[i] = after[next++];
      }
    }
    return new Moves(before, after);
  }

  private void put(int cell, int windowedCell) {
    if (size == cells.length) {
      cells = Arrays.copyOf(cells, 2 * size);
      windowed = Arrays.copyOf(windowed, 2 * size);
    }
    cells[size] = cell;
    windowed[size++] = windowedCell;
  }

  private void release(int position) {
    tables.full().release(cells[position]);
    if (position >= held) {
      tables.windowed().ifPresent(w -> w.release(windowed[position]));
    }
  }
}
