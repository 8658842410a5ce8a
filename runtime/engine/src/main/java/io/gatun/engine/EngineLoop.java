package io.gatun.engine;

import io.gatun.engine.grammar.GrammarMatcher;
import io.gatun.engine.sample.Logits;
import io.gatun.model.DecoderGraph;
import io.gatun.model.Model;
import io.gatun.tensor.Backend;
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
  /** What llama.cpp pads the KV length to, so that a graph lasts for as many tokens. */
  static final int KV_PADDING = 256;

  /** Logits of rows that are all wanted may take this much memory. */
  private static final long EVERY_ROW_BYTES_MAX = 64L << 20;

  private final Model model;
  private final Grammars grammars;
  private final int contextTokens;
  private final Queue<Arrival> arrivals;
  private final Set<Generation> unfinished;
  private final Backend backend;
  private final KvMemory memory;
  private final CellTables tables;
  private final Scheduler scheduler;
  private final StepGraphs graphs;
  private final AdapterSlots adapters;
  private final StepInputs inputs;
  private final Batch batch;
  private final Logits logits = new Logits();
  private final RowReader reader;
  private volatile @Nullable Sequence alone;
  private long steps;
  private long stepNanos;
  private long computeNanos;

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
    backend = Backend.open(options.threads(), model.devices().gpus(), options.kernels());
    try {
      memory = new KvMemory(engine, model, backend, options);
    } catch (RuntimeException e) {
      backend.close();
      throw e;
    }
    tables = memory.tables();
    scheduler =
        new Scheduler(
            options.sequencesMax(),
            tables,
            memory::makeRoom,
            new PrefixSeeds(memory.store())::write);
    graphs = new StepGraphs(model, memory.store(), backend);
    adapters = new AdapterSlots(model, options.adapterBytes(), graphs::dropAdapters);
    inputs = new StepInputs(options.batchRows(), model.hyperparams().slidingWindow());
    batch = new Batch(options.batchRows());
    reader = new RowReader(model.vocabularySize());
    try {
      // The graph of every decode step: what does not fit in the file shows now, not later.
      var _ = graphs.get(new DecoderGraph.Key(1, KV_PADDING, KV_PADDING, 1));
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Computes one step; whether there is more to do. */
  boolean turn() {
    long start = System.nanoTime();
    step();
    stepNanos += System.nanoTime() - start;
    if (scheduler.idle()) {
      backend.pause(); // or the pool's threads would spin for a while, in the way of others
      return false;
    }
    return true;
  }

  /** Stops a running compute whose only request was cancelled. Any thread may call this. */
  void stopUnwanted() {
    Sequence computing = alone;
    if (computing != null && computing.generation().cancelled()) {
      backend.cancel();
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
        computeNanos,
        graphs.built(),
        tables.free(),
        memory.prefixes().tokens(),
        memory.prefixes().found(),
        backend.computeBytes());
  }

  /** Ends all requests and frees everything. */
  @Override
  public void close() {
    takeArrivals();
    scheduler.all().forEach(s -> finish(s, FinishReason.CANCELLED));
    graphs.close();
    adapters.close();
    memory.close();
    backend.close();
    logits.close();
    reader.close();
  }

  /** What has arrived, one batch computed, its tokens chosen. */
  private void step() {
    takeArrivals();
    endCancelled();
    scheduler.plan(batch, everyRowMax());
    if (batch.rows() == 0) {
      return;
    }
    StepGraphs.Compiled compiled = graph();
    compiled.runnable().begin();
    inputs.write(batch, compiled.graph(), compiled.runnable());
    compiled.adapters().ifPresent(a -> a.write(batch, adapters, compiled.runnable()));
    if (compute(compiled)) {
      steps++;
      choose(compiled);
    } else {
      batch.rewind();
    }
  }

  private StepGraphs.Compiled graph() {
    int length = padded(tables.full());
    DecoderGraph.Key shape =
        new DecoderGraph.Key(
            batch.rows(),
            length,
            tables.windowed().map(EngineLoop::padded).orElse(length),
            Math.max(1, batch.outputs()));
    AdapterGraph.Key key = adapters.key(batch);
    return key.equals(AdapterGraph.Key.NONE)
        ? graphs.get(shape)
        : graphs.get(shape, key, Optional.of(adapters.bank()));
  }

  /** The adapters in memory, for the engine's callers. */
  AdapterSlots adapters() {
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
              new Sequence(request, generation, memory.cellsFor(request), logits, grammar));
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

  private void endCancelled() {
    for (Sequence sequence : scheduler.all()) {
      if (sequence.generation().cancelled()) {
        finish(sequence, FinishReason.CANCELLED);
      }
    }
  }

  private boolean compute(StepGraphs.Compiled compiled) {
    backend.clearCancel();
    Sequence first = batch.sequence(0);
    alone = batch.only(first) ? first : null;
    for (int row = 0; row < batch.rows(); row++) {
      batch.sequence(row).started();
    }
    // A cancel between the look at the flags and here would otherwise wait for the whole step.
    boolean wanted = alone == null || !first.generation().cancelled();
    long start = System.nanoTime();
    boolean done = wanted && compiled.runnable().compute();
    computeNanos += System.nanoTime() - start;
    alone = null;
    return done;
  }

  private void choose(StepGraphs.Compiled compiled) {
    RowReader.Rows rows = reader.over(compiled.runnable(), compiled.graph().logits());
    for (int output = 0; output < batch.outputs(); output++) {
      int row = batch.outputRow(output);
      Sequence sequence = batch.sequence(row);
      if (!sequence.generation().done()) {
        try {
          accept(sequence, batch.position(row), rows.at(output));
        } catch (RuntimeException e) {
          fail(sequence, e);
        }
      }
    }
  }

  private void accept(Sequence sequence, int position, RowReader.Row row) {
    sequence.request().observer().ifPresent(o -> o.observe(position, row.logits(), row.count()));
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

  /** Appends what the grammar leaves no choice about; it is computed with the next step. */
  private void jump(Sequence sequence, GrammarMatcher grammar) {
    for (int token : grammar.jump()) {
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
    } else if (sequence.size() > contextTokens) {
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

  /** How many cells a graph reads. */
  private static int padded(CellTable table) {
    int padded = Math.ceilDiv(table.end(), KV_PADDING) * KV_PADDING;
    return Math.clamp(padded, Math.min(KV_PADDING, table.cells()), table.cells());
  }

  private int everyRowMax() {
    return Math.clamp(EVERY_ROW_BYTES_MAX / (4L * model.vocabularySize()), 1, 4096);
  }
}
