package io.gatun.engine;

import io.gatun.model.Hyperparams;
import io.gatun.model.KvSize;
import io.gatun.model.KvStore;
import io.gatun.model.Model;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.AdapterCheck;
import io.gatun.model.gguf.TensorInfo;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.NativeThread;
import io.gatun.tensor.ThreadCount;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Runs requests on a model: many sequences share each step, prompts are computed in chunks beside
 * decoding ones. All native state belongs to one thread of its own.
 *
 * <p>Thread-safe. Closing cancels what is running and frees the KV cache; the model stays open
 * until its last owner closes it.
 */
public final class Engine implements AutoCloseable {
  /** More sequences than this may have to take turns in layers with a window. */
  private static final int WINDOWS_MAX = 8;

  private final Model model;
  private final EngineOptions options;
  private final ThreadCount threadCount;
  private final int contextTokens;
  private final AdapterCheck.Target adapterTarget;
  private final Grammars grammars;
  private final NativeThread thread;
  private final ConcurrentLinkedQueue<EngineLoop.Arrival> arrivals = new ConcurrentLinkedQueue<>();
  private final Set<Generation> unfinished = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean turning = new AtomicBoolean();
  private volatile boolean closed;
  private volatile boolean movable;
  private volatile byte[] fingerprint = {};

  private final EngineLoop loop;

  private Engine(Model model, EngineOptions wanted, int contextTokens) {
    this.model = model;
    this.threadCount =
        wanted.threads() > 0 ? ThreadCount.asked(wanted.threads()) : ThreadCount.free();
    this.options = wanted.withThreads(threadCount.threads());
    this.contextTokens = contextTokens;
    this.adapterTarget = adapterTarget(model);
    this.grammars = new Grammars(model.vocabulary());
    this.thread = new NativeThread("gatun-engine");
    try {
      this.loop =
          thread.call(() ->
              new EngineLoop(this, model, grammars, options, contextTokens, arrivals, unfinished));
    } catch (RuntimeException e) {
      thread.close();
      throw e;
    }
  }

  private static AdapterCheck.Target adapterTarget(Model model) {
    Hyperparams h = model.hyperparams();
    return new AdapterCheck.Target(
        model.name(),
        h.architecture(),
        h.layerCount(),
        h.embeddingLength(),
        h.keyWidth(),
        h.valueWidth(),
        tensor -> model.file().tensor(tensor).map(TensorInfo::shape));
  }

  /**
   * Starts an engine.
   *
   * @throws UnsupportedModelException when the model is an encoder
   * @throws CapacityException when its KV cache gets no memory; ask {@link
   *     io.gatun.model.MemoryPlan#require} before, as systems often promise more than they have
   */
  public static Engine open(Model model, EngineOptions options) {
    if (!model.architecture().causal()) {
      throw new UnsupportedModelException(
          "%s: %s is an encoder: it makes vectors of texts (Gatun.loadEmbedding, gatun embed) and generates none"
              .formatted(model.name(), model.hyperparams().architecture()));
    }
    int cells = kvSize(model.hyperparams(), options).cells();
    Model kept = model.retain();
    try {
      return new Engine(kept, options, cells);
    } catch (RuntimeException e) {
      kept.close();
      throw e;
    }
  }

  /**
   * How many cells an engine with such options has: its context, rounded up. Layers with a window
   * get a window for each of a few sequences, and the rows of one step.
   */
  public static KvSize kvSize(Hyperparams hyperparams, EngineOptions options) {
    int wanted =
        options.contextTokens() > 0
            ? options.contextTokens()
            : Math.min(hyperparams.contextLength(), EngineOptions.CONTEXT_DEFAULT_MAX);
    int cells = padded(wanted);
    long windows =
        (long) Math.min(options.sequencesMax(), WINDOWS_MAX) * hyperparams.slidingWindow();
    boolean slides = KvStore.slides(hyperparams);
    long windowed = slides ? Math.min(cells, windows + options.batchRows()) : cells;
    return new KvSize(cells, Math.min(cells, padded((int) windowed)));
  }

  private static int padded(int cells) {
    return Math.ceilDiv(cells, GraphRunner.KV_PADDING) * GraphRunner.KV_PADDING;
  }

  public Model model() {
    return model;
  }

  /** Its size, with the number of threads that it has. */
  public EngineOptions options() {
    return options;
  }

  /** How many threads compute, and why so many. */
  public ThreadCount threadCount() {
    return threadCount;
  }

  /** How many tokens all sequences together can have. */
  public int contextTokens() {
    return contextTokens;
  }

  /**
   * Queues a request.
   *
   * @throws CapacityException when the prompt alone is longer than the context, and its policy
   *     forgets nothing
   * @throws UnsupportedModelException when its policy forgets and the model's keys cannot move
   * @throws IllegalArgumentException when a token is not in the vocabulary
   * @throws QueueFullException when as many requests wait as may
   */
  public Generation submit(GenerateRequest request) {
    return submitAll(List.of(request)).getFirst();
  }

  /** Queues requests together, so that they share steps from the first on. */
  public List<Generation> submitAll(List<GenerateRequest> requests) {
    requireOpen();
    thread.requireAlive();
    requests.forEach(this::check);
    List<Generation> generations = generations(requests.size());
    List<EngineLoop.Arrival> together = new ArrayList<>();
    Iterator<Generation> next = generations.iterator();
    for (GenerateRequest request : requests) {
      together.add(new EngineLoop.Arrival(request, next.next()));
    }
    arrivals.addAll(together);
    try {
      wake();
    } finally {
      if (closed || thread.dead()) {
        refuseArrivals();
      }
    }
    return generations;
  }

  /** New ones, if so many more may come. */
  private synchronized List<Generation> generations(int count) {
    long most = (long) options.sequencesMax() + options.scheduling().queueMax();
    if (unfinished.size() + count > most) {
      throw new QueueFullException(
          "%d requests run or wait, and no more than %d may; try again later"
              .formatted(unfinished.size(), most));
    }
    List<Generation> generations = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      generations.add(new Generation(this::wake));
    }
    unfinished.addAll(generations);
    return generations;
  }

  /** Ends what was added after the loop's last look; each arrival is taken by one of both. */
  private void refuseArrivals() {
    for (EngineLoop.Arrival a = arrivals.poll(); a != null; a = arrivals.poll()) {
      unfinished.remove(a.generation());
      a.generation().fail(new IllegalStateException("already closed: engine of " + model.name()));
    }
  }

  /** An empty sequence that its owner closes, or the engine's closing does. */
  public KvSequence newSequence() {
    return newSequence(List.of());
  }

  /**
   * An empty sequence of the model with adapters.
   *
   * @throws io.gatun.tensor.ShapeException when one is for another model
   */
  public KvSequence newSequence(List<AdapterUse> adapters) {
    requireOpen();
    adapters.forEach(use -> AdapterCheck.require(use.adapter(), adapterTarget));
    return onThread(() -> loop.memory().open(this, List.copyOf(adapters)));
  }

  /** {@link #restore(Path, List)} of a sequence without adapters. */
  public KvSequence restore(Path file) throws IOException {
    return restore(file, List.of());
  }

  /**
   * A sequence that {@link KvSequence#save} wrote, with an engine of the same model and KV types.
   *
   * @param adapters those with which it was computed
   * @throws IOException when the file cannot be read
   * @throws io.gatun.model.ModelFormatException when it is broken, or of another model, other
   *     adapters or other types
   * @throws CapacityException when there are no cells for it
   */
  public KvSequence restore(Path file, List<AdapterUse> adapters) throws IOException {
    requireOpen();
    adapters.forEach(use -> AdapterCheck.require(use.adapter(), adapterTarget));
    return KvSnapshot.unwrapped(
        () -> onThread(() -> loop.memory().restore(this, file, List.copyOf(adapters))));
  }

  /**
   * How much of a request's prompt is cached now, and why not more; its own sequence does not
   * count.
   */
  public PrefixMatch explain(GenerateRequest request) {
    requireOpen();
    return onThread(() -> memory().prefixes().explain(request.adapters(), request.rows()));
  }

  /** Forgets all prefixes that are kept of finished requests. */
  public void forgetPrefixes() {
    requireOpen();
    var _ =
        onThread(() -> {
          memory().prefixes().forget();
          return true;
        });
  }

  /** Steps computed so far, and graphs built for them. */
  public Statistics statistics() {
    return onThread(loop::statistics);
  }

  /**
   * What an engine has done.
   *
   * @param stepNanos time in all steps
   * @param computeNanos time of that inside GGML; the rest is Java's
   * @param running requests that are being computed
   * @param waiting requests that wait for their turn
   * @param freeCells cells that no sequence uses
   * @param prefixTokens tokens that are kept of finished requests
   * @param prefixTokensFound tokens that requests needed not compute because of that
   * @param computeBytes memory of intermediate values
   */
  public record Statistics(
      long steps,
      long stepNanos,
      long computeNanos,
      long graphsBuilt,
      int running,
      int waiting,
      int freeCells,
      int prefixTokens,
      long prefixTokensFound,
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
      loop.close();
      return true;
    });
    thread.close();
    model.close();
  }

  /** Runs something on the owner's thread. */
  <T> T onThread(Callable<T> task) {
    return thread.call(task);
  }

  KvMemory memory() {
    return loop.memory();
  }

  /** The model's, computed once. */
  byte[] fingerprint() {
    if (fingerprint.length == 0) {
      fingerprint = model.fingerprint();
    }
    return fingerprint;
  }

  KvSequence adopt(KvSequence sequence) {
    return loop.memory().adopt(sequence);
  }

  void release(KvSequence sequence) {
    if (closed || thread.dead()) {
      return;
    }
    var _ =
        onThread(() -> {
          loop.memory().release(sequence);
          return true;
        });
  }

  /** Adapters in this engine's memory, the one used last at the end. */
  public List<Adapter> residentAdapters() {
    return onThread(() -> loop.adapters().list());
  }

  /**
   * Brings an adapter into memory now, so that its first request need not wait.
   *
   * @throws CapacityException when it does not fit beside those in use
   * @throws io.gatun.tensor.ShapeException when it is for another model
   */
  public void preload(Adapter adapter) {
    requireOpen();
    AdapterCheck.require(adapter, adapterTarget);
    List<AdapterUse> use = List.of(new AdapterUse(adapter, 1));
    var _ =
        onThread(() -> {
          loop.adapters().acquire(use);
          loop.adapters().release(use);
          return true;
        });
  }

  /**
   * Takes an adapter out of memory; it comes back when a request uses it again.
   *
   * @throws IllegalStateException while a running request uses it
   */
  public void evict(Adapter adapter) {
    requireOpen();
    var _ =
        onThread(() -> {
          loop.adapters().evict(adapter);
          return true;
        });
  }

  private void check(GenerateRequest request) {
    request.adapters().forEach(use -> AdapterCheck.require(use.adapter(), adapterTarget));
    request.grammar().ifPresent(_ -> grammars.prepare());
    int rows = request.rows().length;
    if (request.policy().forgets()) {
      requireForgettable(request);
    } else if (rows > contextTokens) {
      throw new CapacityException(
          "the prompt has %d tokens but the context only %d; ask for a longer context (--context)"
              .formatted(rows, contextTokens));
    }
    for (int token : request.prompt()) {
      if (token < 0 || token >= model.vocabularySize()) {
        throw new IllegalArgumentException(
            "token %d is outside 0..%d".formatted(token, model.vocabularySize() - 1));
      }
    }
  }

  /** A prompt that is longer than the context is read all the same: it forgets on the way. */
  private void requireForgettable(GenerateRequest request) {
    long most = Math.min(contextTokens - (long) request.rowsBefore(), request.policy().tokensMax());
    if (most < 2) {
      throw new CapacityException(
          "adapters put %d rows before the prompt, which leaves no room for it in a context of %d; ask for a longer context (--context)"
              .formatted(request.rowsBefore(), contextTokens));
    }
    if (request.policy().weighs() && !loop.weighs()) {
      throw new UnsupportedModelException(
          "%s: how much attention tokens get cannot be measured in this model; use another context policy (sinks)"
              .formatted(model.name()));
    }
    if (!movable) {
      movable =
          onThread(() -> {
            memory().requireMovable();
            return true;
          });
    }
  }

  /** Something changed: the thread shall look. Stops a running step whose result nobody wants. */
  private void wake() {
    loop.stopUnwanted();
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
    if (loop.turn() && turning.compareAndSet(false, true)) {
      submitTurn();
    }
    return true;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("already closed: engine of " + model.name());
    }
  }
}
