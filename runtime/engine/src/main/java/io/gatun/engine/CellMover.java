package io.gatun.engine;

import io.gatun.model.KeyShift;
import io.gatun.model.KvStore;
import io.gatun.model.Model;
import io.gatun.tensor.Backend;
import io.gatun.tensor.CompiledGraph;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntUnaryOperator;

/**
 * Moves cached tokens to earlier positions: turns their keys back. Graphs are made when they are
 * first needed.
 *
 * @owner the engine's thread
 */
final class CellMover implements KeyMover {
  /** Cells of one graph; fewer are filled up by repeating the last one. */
  private static final int CELLS_MAX = 256;

  private final Model model;
  private final KvStore store;
  private final CellTables tables;
  private final Backend backend;
  private final Map<Shape, Compiled> graphs = new HashMap<>();

  private record Shape(boolean windowed, int count) {}

  private record Compiled(KeyShift shift, CompiledGraph runnable) {}

  CellMover(Model model, KvStore store, CellTables tables, Backend backend) {
    this.model = model;
    this.store = store;
    this.tables = tables;
    this.backend = backend;
  }

  @Override
  public void requireMovable() {
    var _ = graph(new Shape(false, CELLS_MAX));
  }

  /** Cells that others share are copied first. */
  @Override
  public int cellsNeeded(CellList cells, int to) {
    return cells.shared(to);
  }

  @Override
  public void remove(CellList cells, int from, int to) {
    BitSet gone = new BitSet();
    gone.set(from, to);
    remove(cells, gone);
  }

  @Override
  public int cellsNeeded(CellList cells, BitSet gone) {
    return cells.shared(gone.nextSetBit(0), gone);
  }

  @Override
  public void remove(CellList cells, BitSet gone) {
    int first = gone.nextSetBit(0);
    int[] distances = distances(gone, cells.size());
    cells.remove(gone);
    CellList.Copies copies = cells.own(first);
    store.copy(false, copies.full().from(), copies.full().to());
    store.copy(true, copies.windowed().from(), copies.windowed().to());
    move(false, cells::at, first, distances);
    if (tables.windowed().isPresent()) {
      move(true, cells::windowedAt, Math.max(first, cells.held()), distances);
    }
  }

  /** By how many positions each one that stays moves back. */
  private static int[] distances(BitSet gone, int size) {
    int[] distances = new int[size - gone.cardinality()];
    int kept = 0;
    for (int p = 0; p < size; p++) {
      if (!gone.get(p)) {
        distances[kept] = p - kept;
        kept++;
      }
    }
    return distances;
  }

  private void move(boolean windowed, IntUnaryOperator at, int from, int[] distances) {
    int[] moved = new int[Math.max(0, distances.length - from)];
    Arrays.setAll(moved, i -> at.applyAsInt(from + i));
    move(windowed, moved, Arrays.copyOfRange(distances, from, from + moved.length));
  }

  /**
   * Moves cells of layers of one kind.
   *
   * @param cells different ones
   * @param distances how many positions each one moves back
   */
  private void move(boolean windowed, int[] cells, int[] distances) {
    for (int from = 0; from < cells.length; from += CELLS_MAX) {
      int to = Math.min(cells.length, from + CELLS_MAX);
      run(windowed, Arrays.copyOfRange(cells, from, to), Arrays.copyOfRange(distances, from, to));
    }
  }

  private void run(boolean windowed, int[] cells, int[] distances) {
    int padded = cells.length > CELLS_MAX / 8 ? CELLS_MAX : CELLS_MAX / 8;
    Compiled compiled = graph(new Shape(windowed, padded));
    if (compiled.shift().empty()) {
      return;
    }
    int[] rows = padded(cells, padded);
    compiled.runnable().begin();
    compiled.runnable().write(compiled.shift().rows(), rows);
    compiled
        .runnable()
        .write(compiled.shift().cells(), Arrays.stream(rows).asLongStream().toArray());
    compiled.runnable().write(compiled.shift().distances(), padded(distances, padded));
    backend.clearCancel();
    if (!compiled.runnable().compute()) {
      throw new IllegalStateException("moving cells was interrupted");
    }
  }

  /** Repeats the last value: all rows are read before any is written. */
  private static int[] padded(int[] values, int length) {
    int[] all = Arrays.copyOf(values, length);
    Arrays.fill(all, values.length, length, values[values.length - 1]);
    return all;
  }

  private Compiled graph(Shape shape) {
    return graphs.computeIfAbsent(
        shape,
        s -> {
          KeyShift shift = KeyShift.build(model, store, s.windowed(), s.count());
          return new Compiled(shift, backend.compile(shift.graph()));
        });
  }

  @Override
  public void close() {
    graphs.values().forEach(g -> g.runnable().close());
    graphs.clear();
  }
}
