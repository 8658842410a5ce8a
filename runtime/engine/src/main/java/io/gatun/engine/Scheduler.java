package io.gatun.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Decides which rows the next step computes: one for each sequence that decodes, then chunks of
 * prompts, up to the batch's size (arXiv 2308.16369). {@link Turns} says who goes first, {@link
 * StallBound} how large chunks may be beside decoding sequences.
 *
 * <p>When cells run out, the sequence whose turn comes last gives up its own and waits; so does one
 * of lower priority when a place is missing. What is computed of it goes to the cached prefixes;
 * the rest is computed again later.
 *
 * @owner the engine's thread
 */
final class Scheduler {
  private final List<Sequence> running = new ArrayList<>();
  private final List<Sequence> waiting = new ArrayList<>();
  private final int sequencesMax;
  private final KvMemory memory;
  private final Consumer<Sequence> seed;
  private final CellTables tables;
  private final Turns turns;
  private final StallBound stalls;

  /**
   * @param seed fills the cells of a sequence's prefix, which it has just got
   */
  Scheduler(int sequencesMax, KvMemory memory, Consumer<Sequence> seed, SchedulingOptions options) {
    this.sequencesMax = sequencesMax;
    this.memory = memory;
    this.tables = memory.tables();
    this.seed = seed;
    this.turns = new Turns(options.weights());
    this.stalls = new StallBound(options.stallMax());
  }

  void add(Sequence sequence) {
    turns.arrived(sequence, all());
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

  /** A step has been computed. */
  void measured(Batch batch, long nanos) {
    stalls.measured(batch.rows(), nanos);
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
    Sequence first = admits ? turns.first(waiting) : running.getFirst();
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
    int budget = batch.rows() > 0 ? stalls.rows(batch.room()) : batch.room();
    for (Sequence sequence : turns.sorted(running)) {
      int most = Math.min(budget, batch.room());
      most = sequence.wantsEveryRow() ? Math.min(everyRowMax, most) : most;
      int chunk = Math.min(Math.min(sequence.pending(), sequence.room()), most);
      if (sequence.pending() > 1 && chunk > 0 && place(sequence, chunk, batch)) {
        budget -= chunk;
      }
    }
  }

  private void admit() {
    while (!waiting.isEmpty()) {
      Sequence next = turns.first(waiting);
      if (running.size() >= sequencesMax && !giveWay(next)) {
        return;
      }
      if (!tables.holds(next.wanted())) {
        reclaim(next, next.wanted());
      }
      while (!tables.holds(next.wanted()) && giveWay(next)) {
        reclaim(next, next.wanted());
      }
      if (!tables.holds(next.wanted()) && !running.isEmpty()) {
        return;
      }
      waiting.remove(next);
      running.add(next);
      memory.recall(next);
    }
  }

  /** Lets a running sequence of lower priority wait; false when there is none. */
  private boolean giveWay(Sequence next) {
    int priority = next.request().service().priority();
    List<Sequence> lower =
        running.stream().filter(s -> s.request().service().priority() < priority).toList();
    if (lower.isEmpty()) {
      return false;
    }
    suspend(turns.last(lower));
    return true;
  }

  /** Its cells stay, until somebody needs them. */
  private void suspend(Sequence sequence) {
    memory.keep(sequence);
    running.remove(sequence);
    waiting.add(sequence);
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
    turns.charge(sequence, rows);
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
    memory.makeRoom(wanted);
    if (tables.holds(wanted)) {
      return;
    }
    for (Sequence other : waiting) {
      if (other != needs) {
        other.cells().truncate(0);
      }
    }
  }

  /** The sequence whose turn comes last waits, unless this batch already has rows of it. */
  private boolean preemptLast(Sequence needs, Batch batch) {
    List<Sequence> others = running.stream().filter(s -> s != needs && !holds(batch, s)).toList();
    if (!others.isEmpty()) {
      preempt(turns.last(others));
      return true;
    }
    if (running.size() > 1) {
      preempt(needs);
    }
    return false;
  }

  private void preempt(Sequence sequence) {
    suspend(sequence);
    sequence.cells().truncate(0);
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
