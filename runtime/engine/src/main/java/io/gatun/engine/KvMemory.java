package io.gatun.engine;

import io.gatun.model.KvSize;
import io.gatun.model.KvStore;
import io.gatun.model.Model;
import io.gatun.model.UnsupportedModelException;
import io.gatun.tensor.Backend;
import io.gatun.tensor.CapacityException;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The KV cache of an engine: its memory, which cells are taken, and the sequences that callers
 * hold.
 *
 * @owner the engine's thread
 */
final class KvMemory implements AutoCloseable {
  private final Optional<KvStore> store;
  private final CellTables tables;
  private final KeyMover mover;
  private final PrefixCache prefixes;
  private final Set<KvSequence> sequences = new HashSet<>();

  /**
   * @param store where keys and values lie, if it is Gatun that keeps them
   */
  KvMemory(CellTables tables, KeyMover mover, PrefixCache prefixes, Optional<KvStore> store) {
    this.tables = tables;
    this.mover = mover;
    this.prefixes = prefixes;
    this.store = store;
  }

  /** One whose keys and values lie in Gatun's own memory. */
  static KvMemory ofGraphs(Engine engine, Model model, Backend backend, EngineOptions options) {
    KvSize size = Engine.kvSize(model.hyperparams(), options);
    KvStore store =
        KvStore.allocate(model.hyperparams(), size, options.kvTypes(), model.devices()::of);
    CellTables tables =
        CellTables.of(size, model.hyperparams().slidingWindow(), options.batchRows());
    PrefixCacheOptions kept = options.prefixCache();
    long tokenBytes = KvStore.bytes(model.hyperparams(), KvSize.of(1), options.kvTypes());
    PrefixCache prefixes =
        new PrefixCache(
            kept,
            tables,
            tokenBytes,
            kept.disk().map(folder -> new PrefixDisk(engine, folder, kept.diskBytesMax())));
    CellMover mover = new CellMover(model, store, tables, backend);
    return new KvMemory(tables, mover, prefixes, Optional.of(store));
  }

  /**
   * Where keys and values lie.
   *
   * @throws UnsupportedModelException when libllama keeps them
   */
  KvStore store() {
    return store.orElseThrow(() ->
        new UnsupportedModelException(
            "libllama keeps the keys and values of this model where Gatun does not see them: they"
                + " cannot be saved, restored or given"));
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

  /**
   * Remembers what is computed of a sequence, for others with the same beginning; not when it
   * forgot something, as its keys and values then are not those of its tokens.
   */
  void keep(Sequence sequence) {
    if (sequence.request().keep().isEmpty() && sequence.forgotten() == 0) {
      prefixes.insert(sequence.request().adapters(), sequence.computedTokens(), sequence.cells());
    }
  }

  /** Finds what is cached of a sequence that has nothing of its own any more. */
  void recall(Sequence sequence) {
    boolean own = sequence.request().keep().isPresent();
    if (!own && sequence.cells().size() == 0 && sequence.forgotten() == 0) {
      prefixes.find(sequence.request(), sequence.tokens(), sequence.cells());
      sequence.recalled();
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
    BitSet gone = new BitSet();
    gone.set(from, Math.min(to, cells.size()));
    int needed = mover.cellsNeeded(cells, gone);
    if (!forget(cells, gone)) {
      throw new CapacityException(
          "removing tokens of a fork copies %d that others share, but only %d cells are free; close other sequences or ask for a longer context (--context)"
              .formatted(needed, tables.free()));
    }
  }

  /** Does nothing for models whose sequences can forget; throws for others. */
  void requireMovable() {
    mover.requireMovable();
  }

  /**
   * Forgets positions of a sequence, of which there is one at least; those behind move there. False
   * when there are no cells for copies of what others share, and then nothing has changed.
   */
  boolean forget(CellList cells, BitSet gone) {
    makeRoom(mover.cellsNeeded(cells, gone));
    if (mover.cellsNeeded(cells, gone) > tables.free()) { // others may have let go meanwhile
      return false;
    }
    mover.remove(cells, gone);
    return true;
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
    store.ifPresent(KvStore::close);
  }
}
