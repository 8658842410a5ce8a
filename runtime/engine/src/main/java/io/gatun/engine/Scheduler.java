package io.gatun.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * Decides which rows the next step computes: one for each sequence that decodes, then chunks of
 * prompts in order of arrival, up to the batch's size (arXiv 2308.16369).
 *
 * <p>When cells run out, the sequence that came last gives up its own and waits; it is computed
 * again later.
 *
 * @owner the engine's thread
 */
final class Scheduler {
  private final List<Sequence> running = new ArrayList<>();
  private final Deque<Sequence> waiting = new ArrayDeque<>();
  private final int sequencesMax;
  private final IntConsumer makeRoom;
  private final Consumer<Sequence> seed;
  private final CellTables tables;

  /**
   * @param makeRoom frees cells that nobody computes with, for so many tokens
   * @param seed fills the cells of a sequence's prefix, which it has just got
   */
  Scheduler(int sequencesMax, CellTables tables, IntConsumer makeRoom, Consumer<Sequence> seed) {
    this.sequencesMax = sequencesMax;
    this.tables = tables;
    this.makeRoom = makeRoom;
    this.seed = seed;
  }

  void add(Sequence sequence) {
    waiting.add(sequence);
  }

  void remove(Sequence sequence) {
    running.remove(sequence);
    waiting.remove(sequence);
  }

  boolean idle() {
    return running.isEmpty() && waiting.isEmpty();
  }

  int runningCount() {
    return running.size();
  }

  int waitingCount() {
    return waiting.size();
  }

  /** All sequences, running ones first. */
  List<Sequence> all() {
    List<Sequence> all = new ArrayList<>(running);
    all.addAll(waiting);
    return all;
  }

  List<Sequence> running() {
    return List.copyOf(running);
  }

  /**
   * How many cells each sequence may have while there are too few for the next step, and those that
   * forget give up the others: they would push each other out for ever otherwise. {@link
   * Integer#MAX_VALUE} when there are enough.
   */
  int share(int batchRows) {
    boolean admits = !waiting.isEmpty() && running.size() < sequencesMax;
    int sharing = running.size() + (admits ? 1 : 0);
    if (sharing < 2 || running.stream().noneMatch(Sequence::forgets)) {
      return Integer.MAX_VALUE;
    }
    Sequence first = admits ? waiting.element() : running.getFirst();
    int wanted =
        admits
            ? first.wanted()
            : Math.min(batchRows, running.stream().mapToInt(Sequence::wanted).sum());
    if (tables.full().free() < wanted) {
      reclaim(first, wanted);
    }
    return tables.full().free() < wanted ? tables.full().cells() / sharing : Integer.MAX_VALUE;
  }

  /** Fills a batch; it stays empty when there is nothing to do before somebody forgets. */
  void plan(Batch batch, int everyRowMax) {
    admit();
    batch.clear();
    for (Sequence sequence : List.copyOf(running)) {
      if (sequence.pending() == 1 && sequence.room() > 0) {
        var _ = place(sequence, 1, batch);
      }
    }
    for (Sequence sequence : List.copyOf(running)) {
      int most = sequence.wantsEveryRow() ? Math.min(everyRowMax, batch.room()) : batch.room();
      int chunk = Math.min(Math.min(sequence.pending(), sequence.room()), most);
      if (sequence.pending() > 1 && chunk > 0) {
        var _ = place(sequence, chunk, batch);
      }
    }
  }

  private void admit() {
    while (!waiting.isEmpty() && running.size() < sequencesMax) {
      Sequence next = waiting.peek();
      if (!tables.holds(next.wanted())) {
        reclaim(next, next.wanted());
      }
      if (!tables.holds(next.wanted()) && !running.isEmpty()) {
        return;
      }
      running.add(waiting.remove());
    }
  }

  /** Gives rows cells; false when the sequence itself had to make room. */
  private boolean place(Sequence sequence, int rows, Batch batch) {
    if (!running.contains(sequence) || batch.room() < rows) {
      return false;
    }
    int given = sequence.missing() - sequence.pending();
    while (tables.free() < rows + given) {
      dropUnseen(batch);
      if (tables.free() >= rows + given) {
        break;
      }
      reclaim(sequence, rows + given);
      if (tables.free() < rows + given && !preemptLast(sequence, batch)) {
        return false;
      }
    }
    if (given > 0) {
      seedCells(sequence, given);
    }
    boolean last = rows == sequence.pending();
    for (int i = 0; i < rows; i++) {
      int position = sequence.cells().size();
      boolean taken = sequence.cells().append();
      assert taken;
      batch.add(sequence, position, sequence.wantsEveryRow() || (last && i == rows - 1));
    }
    return true;
  }

  private void seedCells(Sequence sequence, int count) {
    for (int i = 0; i < count; i++) {
      boolean taken = sequence.cells().append();
      assert taken;
    }
    seed.accept(sequence);
  }

  /** Gives back the cells of windows that have passed, but for sequences with rows in the batch. */
  private void dropUnseen(Batch batch) {
    for (Sequence sequence : all()) {
      if (!holds(batch, sequence)) {
        sequence.cells().dropUnseen();
      }
    }
  }

  /**
   * Takes back cells that nobody is computing with: idle caches, and what waiting sequences hold.
   */
  private void reclaim(Sequence needs, int wanted) {
    makeRoom.accept(wanted);
    if (tables.holds(wanted)) {
      return;
    }
    for (Sequence other : waiting) {
      if (other != needs) {
        other.cells().truncate(0);
      }
    }
  }

  /** The sequence that came last waits, unless this batch already has rows of it. */
  private boolean preemptLast(Sequence needs, Batch batch) {
    for (int i = running.size() - 1; i >= 0; i--) {
      Sequence victim = running.get(i);
      if (victim != needs && !holds(batch, victim)) {
        victim.cells().truncate(0);
        running.remove(i);
        waiting.addFirst(victim);
        return true;
      }
    }
    if (running.size() > 1) {
      needs.cells().truncate(0);
      running.remove(needs);
      waiting.addFirst(needs);
    }
    return false;
  }

  private static boolean holds(Batch batch, Sequence sequence) {
    for (int i = 0; i < batch.rows(); i++) {
      if (batch.sequence(i) == sequence) {
        return true;
      }
    }
    return false;
  }
}
