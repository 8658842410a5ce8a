package io.gatun.engine;

import io.gatun.model.KvSize;
import io.gatun.model.KvStore;
import io.gatun.model.Model;
import io.gatun.tensor.Backend;
import io.gatun.tensor.CapacityException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntUnaryOperator;

/**
 * The KV cache of an engine: its memory, which cells are taken, and the sequences that callers
 * hold.
 *
 * @owner the engine's thread
 */
final class KvMemory implements AutoCloseable {
  private final KvStore store;
  private final CellTables tables;
  private final CellMover mover;
  private final PrefixCache prefixes;
  private final Set<KvSequence> sequences = new HashSet<>();

  KvMemory(Engine engine, Model model, Backend backend, EngineOptions options) {
    KvSize size = Engine.kvSize(model.hyperparams(), options);
    store = KvStore.allocate(model.hyperparams(), size, options.kvTypes(), model.devices()::of);
    tables = CellTables.of(size, model.hyperparams().slidingWindow(), options.batchRows());
    mover = new CellMover(model, store, backend);
    PrefixCacheOptions kept = options.prefixCache();
    long tokenBytes = KvStore.bytes(model.hyperparams(), KvSize.of(1), options.kvTypes());
    prefixes =
        new PrefixCache(
            kept,
            tables,
            tokenBytes,
            kept.disk().map(folder -> new PrefixDisk(engine, folder, kept.diskBytesMax())));
  }

  KvStore store() {
    return store;
  }

  CellTables tables() {
    return tables;
  }

  /** The cells that a request begins with. */
  CellList cellsFor(GenerateRequest request) {
    return request.keep().isPresent() ? request.keep().get().lend(request) : prefixes.find(request);
  }

  /** Takes the cells of a sequence that has ended. */
  void leave(Sequence sequence) {
    if (sequence.request().keep().isPresent()) {
      sequence.request().keep().get().giveBack(sequence.cells(), sequence.computedTokens());
    } else {
      keep(sequence);
      sequence.cells().truncate(0);
    }
  }

  /** Remembers what is computed of a sequence, for others with the same beginning. */
  void keep(Sequence sequence) {
    if (sequence.request().keep().isEmpty()) {
      prefixes.insert(sequence.request().adapters(), sequence.computedTokens(), sequence.cells());
    }
  }

  PrefixCache prefixes() {
    return prefixes;
  }

  /**
   * Gives an empty list so many cells.
   *
   * @throws CapacityException when there are not so many
   */
  void fill(CellList cells, int size) {
    if (size > tables.full().free()) {
      makeRoom(size);
    }
    for (int i = 0; i < size; i++) {
      if (tables.free() == 0) {
        cells.dropUnseen();
      }
      if (!cells.append()) {
        cells.truncate(0);
        throw new CapacityException(
            "the sequence has %d tokens but only %d cells are free; ask for a longer context (--context)"
                .formatted(size, i));
      }
    }
  }

  /**
   * Forgets positions of a sequence and moves what is behind them there. Cells that others share
   * are copied first.
   *
   * @throws CapacityException when there are no cells for the copies
   */
  void remove(CellList cells, int from, int to) {
    mover.requireMovable();
    if (from >= cells.size()) {
      return;
    }
    int end = Math.min(to, cells.size());
    makeRoom(cells.shared(end));
    if (cells.shared(end) > tables.free()) {
      throw new CapacityException(
          "removing tokens of a fork copies %d that others share, but only %d cells are free; close other sequences or ask for a longer context (--context)"
              .formatted(cells.shared(end), tables.free()));
    }
    CellList.Copies copies = cells.own(end);
    store.copy(false, copies.full().from(), copies.full().to());
    store.copy(true, copies.windowed().from(), copies.windowed().to());
    cells.remove(from, end);
    move(false, cells::at, from, cells.size(), end - from);
    if (tables.windowed().isPresent()) {
      move(true, cells::windowedAt, Math.max(from, cells.held()), cells.size(), end - from);
    }
  }

  private void move(boolean windowed, IntUnaryOperator at, int from, int to, int distance) {
    int[] moved = new int[Math.max(0, to - from)];
    Arrays.setAll(moved, i -> at.applyAsInt(from + i));
    int[] distances = new int[moved.length];
    Arrays.fill(distances, distance);
    mover.move(windowed, moved, distances);
  }

  KvSequence open(Engine engine, List<AdapterUse> adapters) {
    return adopt(new KvSequence(engine, new CellList(tables), new int[0], adapters));
  }

  /** A sequence from a file. */
  KvSequence restore(Engine engine, Path file, List<AdapterUse> adapters) {
    CellList cells = new CellList(tables);
    try {
      int[] rows = KvSnapshot.read(file, engine, cells, adapters);
      return adopt(new KvSequence(engine, cells, rows, adapters));
    } catch (RuntimeException e) {
      cells.truncate(0);
      throw e;
    }
  }

  KvSequence adopt(KvSequence sequence) {
    sequences.add(sequence);
    return sequence;
  }

  void release(KvSequence sequence) {
    sequences.remove(sequence);
    sequence.closeOnThread();
  }

  /**
   * Frees cells of what nobody computes with, until so many tokens have room: windows that have
   * passed, then prefixes, then the sequences that callers hold.
   */
  void makeRoom(int wanted) {
    if (tables.holds(wanted)) {
      return;
    }
    sequences.stream().filter(s -> !s.busy()).forEach(KvSequence::dropUnseen);
    prefixes.makeRoom(wanted);
    if (!tables.holds(wanted)) {
      sequences.stream().filter(s -> !s.busy()).forEach(KvSequence::evict);
    }
  }

  @Override
  public void close() {
    mover.close();
    store.close();
  }
}
