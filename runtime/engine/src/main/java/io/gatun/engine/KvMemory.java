package io.gatun.engine;

import io.gatun.model.KvStore;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The KV cache of an engine: its memory, which cells are taken, and the sequences that callers
 * hold.
 *
 * @owner the engine's thread
 */
final class KvMemory implements AutoCloseable {
  private final KvStore store;
  private final CellTable table;
  private final Set<KvSequence> sequences = new HashSet<>();

  KvMemory(KvStore store) {
    this.store = store;
    this.table = new CellTable(store.cells());
  }

  KvStore store() {
    return store;
  }

  CellTable table() {
    return table;
  }

  /** The cells that a request begins with. */
  CellList cellsFor(GenerateRequest request) {
    return request.keep().isPresent() ? request.keep().get().lend(request) : new CellList(table);
  }

  /** Takes the cells of a sequence that has ended. */
  void leave(Sequence sequence) {
    if (sequence.request().keep().isPresent()) {
      sequence.request().keep().get().giveBack(sequence.cells(), sequence.computedTokens());
    } else {
      sequence.cells().truncate(0);
    }
  }

  KvSequence open(Engine engine, List<AdapterUse> adapters) {
    return adopt(new KvSequence(engine, new CellList(table), new int[0], adapters));
  }

  KvSequence adopt(KvSequence sequence) {
    sequences.add(sequence);
    return sequence;
  }

  void release(KvSequence sequence) {
    sequences.remove(sequence);
    sequence.closeOnThread();
  }

  /** Frees the cells of what nobody computes with. */
  void evict() {
    sequences.stream().filter(s -> !s.busy()).forEach(KvSequence::evict);
  }

  @Override
  public void close() {
    store.close();
  }
}
