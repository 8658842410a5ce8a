package io.gatun.engine;

import io.gatun.model.Model;

/**
 * What computes the steps of an engine and keeps their keys and values: Gatun's own graphs, or
 * libllama for models that Gatun has no graph of.
 *
 * @owner the engine's thread; only {@link #cancel} may be called from others
 */
interface StepRunner extends AutoCloseable {
  /** The one for a model. */
  static StepRunner of(Engine engine, Model model, EngineOptions options) {
    return model.llama().isPresent()
        ? new LlamaRunner(model, model.llama().get(), options)
        : new GraphRunner(engine, model, options);
  }

  /** The most sequences of a batch. */
  int sequencesMax();

  /** Computes a batch; false when {@link #cancel} stopped it, and then nothing of it is kept. */
  boolean compute(Batch batch);

  /** An output of the batch computed last; at most one is looked at, at a time. */
  RowReader.Row row(int output);

  /** Fills the cells of a sequence's prefix, which it has just got. */
  void seed(Sequence sequence);

  /** Whether it measures attention for policies that want to know. */
  boolean weighs();

  /** Where keys and values lie. */
  KvMemory memory();

  /** Adapters in memory. */
  AdapterPool adapters();

  /** Stops the running compute soon. */
  void cancel();

  /** Forgets an earlier {@link #cancel}. */
  void clearCancel();

  /** Lets the computing threads sleep until the next step. */
  void pause();

  /** Time inside the native libraries so far. */
  long computeNanos();

  /** Graphs of Gatun's built so far. */
  long graphsBuilt();

  /** Memory of intermediate values; 0 when it is not known. */
  long computeBytes();

  @Override
  void close();
}
