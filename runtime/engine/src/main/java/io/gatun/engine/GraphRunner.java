package io.gatun.engine;

import io.gatun.model.DecoderGraph;
import io.gatun.model.Model;
import io.gatun.tensor.Backend;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Computes steps with Gatun's own graphs.
 *
 * @owner the engine's thread; only {@link #cancel} may be called from others
 */
final class GraphRunner implements StepRunner {
  /** What llama.cpp pads the KV length to, so that a graph lasts for as many tokens. */
  static final int KV_PADDING = 256;

  private final Backend backend;
  private final KvMemory memory;
  private final CellTables tables;
  private final StepGraphs graphs;
  private final AdapterSlots adapters;
  private final StepInputs inputs;
  private final RowReader reader;
  private final int sequencesMax;
  private final AttentionMeter meter = new AttentionMeter();
  private LogitSource logits;
  private long computeNanos;

  GraphRunner(Engine engine, Model model, EngineOptions options) {
    backend = Backend.open(options.threads(), model.devices().gpus(), options.kernels());
    try {
      memory = KvMemory.ofGraphs(engine, model, backend, options);
    } catch (RuntimeException e) {
      backend.close();
      throw e;
    }
    sequencesMax = options.sequencesMax();
    tables = memory.tables();
    graphs = new StepGraphs(model, memory.store(), backend);
    adapters = new AdapterSlots(model, options.adapterBytes(), graphs::dropAdapters);
    inputs = new StepInputs(options.batchRows(), model);
    reader = new RowReader(model.vocabularySize());
    try {
      // The graph of every decode step: what does not fit in the file shows now, not later.
      logits = logitsOf(graphs.get(new DecoderGraph.Key(1, KV_PADDING, KV_PADDING, 1)));
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  @Override
  public boolean compute(Batch batch) {
    StepGraphs.Compiled compiled = graph(batch);
    compiled.runnable().begin();
    inputs.write(batch, compiled.graph(), compiled.runnable());
    compiled.graph().weights().ifPresent(w -> meter.write(w, compiled.runnable()));
    compiled.adapters().ifPresent(a -> a.write(batch, adapters, compiled.runnable()));
    long start = System.nanoTime();
    boolean done = compiled.runnable().compute();
    computeNanos += System.nanoTime() - start;
    if (done) {
      compiled.graph().weights().ifPresent(w -> meter.read(batch, w, compiled.runnable()));
    }
    logits = logitsOf(compiled);
    return done;
  }

  private StepGraphs.Compiled graph(Batch batch) {
    int length = padded(tables.full());
    DecoderGraph.Key shape =
        new DecoderGraph.Key(
            batch.rows(),
            length,
            tables.windowed().map(GraphRunner::padded).orElse(length),
            Math.max(1, batch.outputs()),
            meter.choose(batch));
    AdapterGraph.Key key = adapters.key(batch);
    return key.equals(AdapterGraph.Key.NONE)
        ? graphs.get(shape)
        : graphs.get(shape, key, Optional.of(adapters.bank()));
  }

  private static LogitSource logitsOf(StepGraphs.Compiled compiled) {
    return new LogitSource.OfGraph(compiled.runnable(), compiled.graph().logits());
  }

  @Override
  public RowReader.Row row(int output) {
    return reader.row(logits, output);
  }

  @Override
  public void seed(Sequence sequence) {
    new PrefixSeeds(memory.store()).write(sequence);
  }

  /** Layers with a window alone know nothing of what is behind it. */
  @Override
  public boolean weighs() {
    return IntStream.range(0, memory.store().layers()).anyMatch(l -> !memory.store().slides(l));
  }

  @Override
  public int sequencesMax() {
    return sequencesMax;
  }

  @Override
  public KvMemory memory() {
    return memory;
  }

  @Override
  public AdapterSlots adapters() {
    return adapters;
  }

  @Override
  public void cancel() {
    backend.cancel();
  }

  @Override
  public void clearCancel() {
    backend.clearCancel();
  }

  @Override
  public void pause() {
    backend.pause();
  }

  @Override
  public long computeNanos() {
    return computeNanos;
  }

  @Override
  public long graphsBuilt() {
    return graphs.built();
  }

  @Override
  public long computeBytes() {
    return backend.computeBytes();
  }

  @Override
  public void close() {
    graphs.close();
    adapters.close();
    memory.close();
    backend.close();
    reader.close();
  }

  /** How many cells a graph reads. */
  private static int padded(CellTable table) {
    int padded = Math.ceilDiv(table.end(), KV_PADDING) * KV_PADDING;
    return Math.clamp(padded, Math.min(KV_PADDING, table.cells()), table.cells());
  }
}
