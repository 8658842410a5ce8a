package io.gatun.engine;

import io.gatun.engine.grammar.GrammarMatcher;
import io.gatun.engine.sample.Logits;
import io.gatun.model.Model;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The inside of an {@link Engine}: all its native state, and what one step does with it. Made, used
 * and closed on the engine's thread; only {@link #stopUnwanted} may be called from others.
 */
final class EngineLoop implements AutoCloseable {
  /** Logits of rows that are all wanted may take this much memory. */
  private static final long EVERY_ROW_BYTES_MAX = 64L << 20;

  private final Model model;
  private final Grammars grammars;
  private final int contextTokens;
  private final Queue<Arrival> arrivals;
  private final Set<Generation> unfinished;
  private final StepRunner runner;
  private final KvMemory memory;
  private final AdapterPool adapters;
  private final Scheduler scheduler;
  private final Forgetting forgetting;
  private final Batch batch;
  private final Logits logits = new Logits();
  private volatile @Nullable Sequence alone;
  private long arrived;
  private long steps;
  private long stepNanos;

  /** A request on its way in. */
  record Arrival(GenerateRequest request, Generation generation) {}

  /**
   * @param arrivals where callers put requests
   * @param unfinished requests that have not ended, for the engine's own use
   */
  EngineLoop(
      Engine engine,
      Model model,
      Grammars grammars,
      EngineOptions options,
      int contextTokens,
      Queue<Arrival> arrivals,
      Set<Generation> unfinished) {
    this.model = model;
    this.grammars = grammars;
    this.contextTokens = contextTokens;
    this.arrivals = arrivals;
    this.unfinished = unfinished;
    runner = StepRunner.of(engine, model, options);
    memory = runner.memory();
    adapters = runner.adapters();
    scheduler = new Scheduler(runner.sequencesMax(), memory, runner::seed, options.scheduling());
    forgetting =
        new Forgetting(scheduler, memory, s -> finish(s, FinishReason.CONTEXT_FULL), this::fail);
    batch = new Batch(options.batchRows());
  }

  /** Computes one step; whether there is more to do. */
  boolean turn() {
    long start = System.nanoTime();
    step();
    stepNanos += System.nanoTime() - start;
    if (scheduler.idle()) {
      runner.pause(); // or the pool's threads would spin for a while, in the way of others
      return false;
    }
    return true;
  }

  /** Stops a running compute whose only request was cancelled. Any thread may call this. */
  void stopUnwanted() {
    Sequence computing = alone;
    if (computing != null && computing.generation().cancelled()) {
      runner.cancel();
    }
  }

  /** What callers hold of the cache. */
  KvMemory memory() {
    return memory;
  }

  Engine.Statistics statistics() {
    return new Engine.Statistics(
        steps,
        stepNanos,
        runner.computeNanos(),
        runner.graphsBuilt(),
        scheduler.runningCount(),
        arrivals.size() + scheduler.waitingCount(),
        memory.tables().free(),
        memory.prefixes().tokens(),
        memory.prefixes().found(),
        runner.computeBytes());
  }

  /** Ends all requests and frees everything. */
  @Override
  public void close() {
    takeArrivals();
    scheduler.all().forEach(s -> finish(s, FinishReason.CANCELLED));
    runner.close();
    logits.close();
  }

  /** What has arrived, one batch computed, its tokens chosen. */
  private void step() {
    takeArrivals();
    endUnwanted();
    forgetting.beforeStep(batch.capacity());
    scheduler.plan(batch, everyRowMax());
    if (batch.rows() == 0) {
      return;
    }
    long start = System.nanoTime();
    if (compute()) {
      scheduler.measured(batch, System.nanoTime() - start);
      steps++;
      choose();
    } else {
      batch.rewind();
    }
  }

  /** Whether attention can be measured. */
  boolean weighs() {
    return runner.weighs();
  }

  /** The adapters in memory, for the engine's callers. */
  AdapterPool adapters() {
    return adapters;
  }

  private void takeArrivals() {
    for (Arrival next = arrivals.poll(); next != null; next = arrivals.poll()) {
      Generation generation = next.generation();
      GenerateRequest request = next.request();
      try {
        adapters.acquire(request.adapters());
        try {
          Optional<GrammarMatcher> grammar = request.grammar().map(grammars::start);
          scheduler.add(
              new Sequence(
                  request,
                  generation,
                  arrived++,
                  memory.cellsFor(request),
                  contextTokens,
                  logits,
                  grammar));
        } catch (RuntimeException e) {
          adapters.release(request.adapters());
          throw e;
        }
      } catch (RuntimeException e) {
        unfinished.remove(generation);
        generation.fail(e);
      }
    }
  }

  private void endUnwanted() {
    for (Sequence sequence : scheduler.all()) {
      if (sequence.generation().cancelled()) {
        finish(sequence, FinishReason.CANCELLED);
      } else if (sequence.expired()) {
        finish(sequence, FinishReason.DEADLINE);
      }
    }
  }

  private boolean compute() {
    runner.clearCancel();
    Sequence first = batch.sequence(0);
    alone = batch.only(first) ? first : null;
    for (int row = 0; row < batch.rows(); row++) {
      batch.sequence(row).started();
    }
    // A cancel between the look at the flags and here would otherwise wait for the whole step.
    boolean wanted = alone == null || !first.generation().cancelled();
    boolean done = wanted && runner.compute(batch);
    alone = null;
    return done;
  }

  private void choose() {
    for (int output = 0; output < batch.outputs(); output++) {
      int row = batch.outputRow(output);
      Sequence sequence = batch.sequence(row);
      if (!sequence.generation().done()) {
        try {
          accept(sequence, batch.position(row), runner.row(output));
        } catch (RuntimeException e) {
          fail(sequence, e);
        }
      }
    }
  }

  private void accept(Sequence sequence, int position, RowReader.Row row) {
    int place = position + sequence.forgotten();
    sequence.request().observer().ifPresent(o -> o.observe(place, row.logits(), row.count()));
    if (position < sequence.size() - 1) {
      return; // a row of the prompt that was only to be seen
    }
    GenerateRequest.Limits limits = sequence.request().limits();
    if (sequence.firstToken()) {
      memory.keep(sequence);
    }
    if (sequence.completionTokens() >= limits.maxTokens()) {
      finish(sequence, FinishReason.LENGTH);
      return;
    }
    int token = sequence.greedyOnly() ? row.best() : sequence.sample(row.logits(), row.count());
    if (ends(token, sequence)) {
      finish(sequence, FinishReason.STOP);
      return;
    }
    append(sequence, row.token(token, sequence.request().logprobs()));
    if (sequence.grammar().isPresent()) {
      sequence.grammar().get().accept(token);
      jump(sequence, sequence.grammar().get());
    }
  }

  /**
   * Appends what the grammar leaves no choice about; it is computed with the next step. Where
   * probabilities are wanted nothing is skipped, as only logits tell them.
   */
  private void jump(Sequence sequence, GrammarMatcher grammar) {
    List<Integer> forced = sequence.request().logprobs() < 0 ? grammar.jump() : List.of();
    for (int token : forced) {
      if (!sequence.generation().done()) {
        append(sequence, new GeneratedToken(token, Float.NaN, List.of()));
      }
    }
    if (grammar.mustEnd() && !sequence.generation().done()) {
      finish(sequence, FinishReason.STOP);
    }
  }

  private void append(Sequence sequence, GeneratedToken token) {
    sequence.append(token.id());
    sequence.generation().emit(token);
    if (sequence.completionTokens() >= sequence.request().limits().maxTokens()) {
      finish(sequence, FinishReason.LENGTH);
    } else if (sequence.size() > contextTokens && !sequence.forgets()) {
      finish(sequence, FinishReason.CONTEXT_FULL);
    }
  }

  private boolean ends(int token, Sequence sequence) {
    GenerateRequest.Limits limits = sequence.request().limits();
    boolean ignored = limits.ignoreEnd() && sequence.grammar().isEmpty();
    return limits.stopTokens().contains(token)
        || (!ignored
            && token < model.vocabulary().size()
            && model.vocabulary().endsGeneration(token));
  }

  private void finish(Sequence sequence, FinishReason reason) {
    leave(sequence);
    sequence.generation().finish(reason, sequence.usage(sequence.completionTokens()));
  }

  private void fail(Sequence sequence, Throwable failure) {
    leave(sequence);
    sequence.generation().fail(failure);
  }

  private void leave(Sequence sequence) {
    scheduler.remove(sequence);
    unfinished.remove(sequence.generation());
    adapters.release(sequence.request().adapters());
    memory.leave(sequence);
  }

  private int everyRowMax() {
    return Math.clamp(EVERY_ROW_BYTES_MAX / (4L * model.vocabularySize()), 1, 4096);
  }
}
