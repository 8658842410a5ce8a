package io.gatun.engine;

import io.gatun.engine.sample.Logits;
import io.gatun.model.DecoderGraph;
import io.gatun.model.KvStore;
import io.gatun.model.Model;
import io.gatun.tensor.Backend;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.NativeThread;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Runs requests on a model: many sequences share each step, prompts are computed in chunks beside
 * decoding ones. All native state belongs to one thread of its own.
 *
 * <p>Thread-safe. Closing cancels what is running and frees the KV cache; the model stays open
 * until its last owner closes it.
 */
public final class Engine implements AutoCloseable {
  /** What llama.cpp pads the KV length to, so that a graph lasts for as many tokens. */
  private static final int KV_PADDING = 256;

  /** Logits of rows that are all wanted may take this much memory. */
  private static final long EVERY_ROW_BYTES_MAX = 64L << 20;

  private final Model model;
  private final EngineOptions options;
  private final int contextTokens;
  private final NativeThread thread;
  private final ConcurrentLinkedQueue<Arrival> arrivals = new ConcurrentLinkedQueue<>();
  private final Set<Generation> unfinished = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean turning = new AtomicBoolean();
  private volatile boolean closed;

  // Owned by the thread.
  private final Set<PromptCache> caches = new HashSet<>();
  private final Native n;
  private volatile @Nullable Sequence alone;
  private long steps;
  private long stepNanos;
  private long computeNanos;

  /** What only the engine's thread touches, made and freed on it. */
  private static final class Native {
    final Backend backend;
    final KvStore store;
    final CellTable table;
    final Scheduler scheduler;
    final StepGraphs graphs;
    final StepInputs inputs;
    final Batch batch;
    final Logits logits = new Logits();
    final RowReader reader;

    Native(Model model, EngineOptions options, int cells, Runnable evict) {
      backend = Backend.open(options.threads(), model.devices().gpus());
      try {
        store = KvStore.allocate(model.hyperparams(), cells, options.kvType(), model.devices()::of);
      } catch (RuntimeException e) {
        backend.close();
        throw e;
      }
      table = new CellTable(cells);
      scheduler = new Scheduler(options.sequencesMax(), table, evict);
      graphs = new StepGraphs(model, store, backend);
      inputs = new StepInputs(options.batchRows(), model.hyperparams().slidingWindow());
      batch = new Batch(options.batchRows());
      reader = new RowReader(model.vocabularySize());
      try {
        // The graph of every decode step: what does not fit in the file shows now, not later.
        var _ = graphs.get(new DecoderGraph.Key(1, KV_PADDING, 1));
      } catch (RuntimeException e) {
        close();
        throw e;
      }
    }

    void close() {
      graphs.close();
      store.close();
      backend.close();
      logits.close();
      reader.close();
    }
  }

  private record Arrival(GenerateRequest request, Generation generation) {}

  private Engine(Model model, EngineOptions options, int contextTokens) {
    this.model = model;
    this.options = options;
    this.contextTokens = contextTokens;
    this.thread = new NativeThread("gatun-engine");
    try {
      this.n = thread.call(() -> new Native(model, options, contextTokens, this::evictCaches));
    } catch (RuntimeException e) {
      thread.close();
      throw e;
    }
  }

  /**
   * Starts an engine.
   *
   * @throws CapacityException when its KV cache gets no memory; ask {@link
   *     io.gatun.model.MemoryPlan#requireContext} before, as systems often promise more than they
   *     have
   */
  public static Engine open(Model model, EngineOptions options) {
    int cells = cellsOf(model, options);
    Model kept = model.retain();
    try {
      return new Engine(kept, options, cells);
    } catch (RuntimeException e) {
      kept.close();
      throw e;
    }
  }

  /** How many cells an engine with such options has: its context, rounded up. */
  public static int cellsOf(Model model, EngineOptions options) {
    int wanted =
        options.contextTokens() > 0
            ? options.contextTokens()
            : Math.min(model.hyperparams().contextLength(), EngineOptions.CONTEXT_DEFAULT_MAX);
    return Math.ceilDiv(wanted, KV_PADDING) * KV_PADDING;
  }

  public Model model() {
    return model;
  }

  public EngineOptions options() {
    return options;
  }

  /** How many tokens all sequences together can have. */
  public int contextTokens() {
    return contextTokens;
  }

  /**
   * Queues a request.
   *
   * @throws CapacityException when the prompt alone is longer than the context
   * @throws IllegalArgumentException when a token is not in the vocabulary
   */
  public Generation submit(GenerateRequest request) {
    return submitAll(List.of(request)).getFirst();
  }

  /** Queues requests together, so that they share steps from the first on. */
  public List<Generation> submitAll(List<GenerateRequest> requests) {
    requireOpen();
    thread.requireAlive();
    requests.forEach(this::check);
    List<Generation> generations = new ArrayList<>();
    List<Arrival> together = new ArrayList<>();
    for (GenerateRequest request : requests) {
      Generation generation = new Generation(this::wake);
      unfinished.add(generation);
      generations.add(generation);
      together.add(new Arrival(request, generation));
    }
    arrivals.addAll(together);
    wake();
    return generations;
  }

  /** A place for one conversation's keys and values. */
  public PromptCache newPromptCache() {
    requireOpen();
    return onThread(() -> adopt(new PromptCache(this, new CellList(n.table), new int[0])));
  }

  /** Steps computed so far, and graphs built for them. */
  public Statistics statistics() {
    return onThread(() ->
        new Statistics(
            steps,
            stepNanos,
            computeNanos,
            n.graphs.built(),
            n.table.free(),
            n.backend.computeBytes()));
  }

  /**
   * What an engine has done.
   *
   * @param stepNanos time in all steps
   * @param computeNanos time of that inside GGML; the rest is Java's
   * @param freeCells cells that no sequence uses
   * @param computeBytes memory of intermediate values
   */
  public record Statistics(
      long steps,
      long stepNanos,
      long computeNanos,
      long graphsBuilt,
      int freeCells,
      long computeBytes) {}

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    unfinished.forEach(Generation::cancel);
    if (thread.dead()) {
      // Its native memory may still be in use by threads that will never end: it is given up.
      unfinished.forEach(g -> g.fail(new IllegalStateException("the engine is dead")));
      return;
    }
    thread.call(() -> {
      takeArrivals();
      n.scheduler.all().forEach(s -> finish(s, FinishReason.CANCELLED));
      n.close();
      return true;
    });
    thread.close();
    model.close();
  }

  /** Runs something on the owner's thread. */
  <T> T onThread(Callable<T> task) {
    return thread.call(task);
  }

  PromptCache adopt(PromptCache cache) {
    caches.add(cache);
    return cache;
  }

  void release(PromptCache cache) {
    if (closed || thread.dead()) {
      return;
    }
    var _ =
        onThread(() -> {
          caches.remove(cache);
          cache.closeOnThread();
          return true;
        });
  }

  private void check(GenerateRequest request) {
    if (request.prompt().length > contextTokens) {
      throw new CapacityException(
          "the prompt has %d tokens but the context only %d; ask for a longer context (--context)"
              .formatted(request.prompt().length, contextTokens));
    }
    for (int token : request.prompt()) {
      if (token < 0 || token >= model.vocabularySize()) {
        throw new IllegalArgumentException(
            "token %d is outside 0..%d".formatted(token, model.vocabularySize() - 1));
      }
    }
  }

  /** Something changed: the thread shall look. Stops a running step whose result nobody wants. */
  private void wake() {
    Sequence computing = alone;
    if (computing != null && computing.generation().cancelled()) {
      n.backend.cancel();
    }
    if (turning.compareAndSet(false, true)) {
      submitTurn();
    }
  }

  private void submitTurn() {
    var _ =
        thread
            .submit(this::turn)
            .whenComplete( // on the engine's own thread: waking another would disturb the compute
                (_, failure) -> {
                  if (failure != null) {
                    unfinished.forEach(g -> g.fail(failure));
                    unfinished.clear();
                  }
                });
  }

  private boolean turn() {
    if (closed) {
      return false;
    }
    turning.set(false);
    long start = System.nanoTime();
    step();
    stepNanos += System.nanoTime() - start;
    if (n.scheduler.idle()) {
      n.backend.pause(); // or the pool's threads would spin for a while, in the way of others
    } else if (turning.compareAndSet(false, true)) {
      submitTurn();
    }
    return true;
  }

  /** One turn of the engine: what has arrived, one batch computed, its tokens chosen. */
  private void step() {
    takeArrivals();
    endCancelled();
    n.scheduler.plan(n.batch, everyRowMax());
    if (n.batch.rows() == 0) {
      return;
    }
    int kvLength = kvLength();
    StepGraphs.Compiled compiled =
        n.graphs.get(
            new DecoderGraph.Key(n.batch.rows(), kvLength, Math.max(1, n.batch.outputs())));
    compiled.runnable().begin();
    n.inputs.write(n.batch, kvLength, compiled.graph(), compiled.runnable());
    if (compute(compiled)) {
      steps++;
      choose(compiled);
    } else {
      n.batch.rewind();
    }
  }

  private void takeArrivals() {
    for (Arrival next = arrivals.poll(); next != null; next = arrivals.poll()) {
      Generation generation = next.generation();
      GenerateRequest request = next.request();
      try {
        CellList cells =
            request.keep().isPresent()
                ? request.keep().get().lend(request.prompt())
                : new CellList(n.table);
        n.scheduler.add(new Sequence(request, generation, cells, n.logits));
      } catch (RuntimeException e) {
        unfinished.remove(generation);
        generation.fail(e);
      }
    }
  }

  private void endCancelled() {
    for (Sequence sequence : n.scheduler.all()) {
      if (sequence.generation().cancelled()) {
        finish(sequence, FinishReason.CANCELLED);
      }
    }
  }

  private boolean compute(StepGraphs.Compiled compiled) {
    n.backend.clearCancel();
    Sequence first = n.batch.sequence(0);
    alone = n.batch.only(first) ? first : null;
    for (int row = 0; row < n.batch.rows(); row++) {
      n.batch.sequence(row).started();
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
    RowReader.Rows rows = n.reader.over(compiled.runnable(), compiled.graph().logits());
    for (int output = 0; output < n.batch.outputs(); output++) {
      int row = n.batch.outputRow(output);
      Sequence sequence = n.batch.sequence(row);
      if (!sequence.generation().done()) {
        try {
          accept(sequence, n.batch.position(row), rows.at(output));
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
    sequence.firstToken();
    if (sequence.completionTokens() >= limits.maxTokens()) {
      finish(sequence, FinishReason.LENGTH);
      return;
    }
    int token = sequence.greedyOnly() ? row.best() : sequence.sample(row.logits(), row.count());
    if (ends(token, limits)) {
      finish(sequence, FinishReason.STOP);
      return;
    }
    sequence.append(token);
    sequence.generation().emit(row.token(token, sequence.request().logprobs()));
    if (sequence.completionTokens() >= limits.maxTokens()) {
      finish(sequence, FinishReason.LENGTH);
    } else if (sequence.size() > contextTokens) {
      finish(sequence, FinishReason.CONTEXT_FULL);
    }
  }

  private boolean ends(int token, GenerateRequest.Limits limits) {
    return limits.stopTokens().contains(token)
        || (!limits.ignoreEnd()
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
    n.scheduler.remove(sequence);
    unfinished.remove(sequence.generation());
    if (sequence.request().keep().isPresent()) {
      sequence.request().keep().get().giveBack(sequence.cells(), sequence.computedTokens());
    } else {
      sequence.cells().truncate(0);
    }
  }

  private void evictCaches() {
    caches.stream().filter(c -> !c.busy()).forEach(PromptCache::evict);
  }

  private int kvLength() {
    int padded = Math.ceilDiv(n.table.end(), KV_PADDING) * KV_PADDING;
    return Math.clamp(padded, KV_PADDING, contextTokens);
  }

  private int everyRowMax() {
    return Math.clamp(EVERY_ROW_BYTES_MAX / (4L * model.vocabularySize()), 1, 4096);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("already closed: engine of " + model.name());
    }
  }
}
