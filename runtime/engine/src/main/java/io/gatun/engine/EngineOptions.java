package io.gatun.engine;

import io.gatun.model.KvTypes;
import io.gatun.tensor.Kernels;

/**
 * The size of an engine.
 *
 * @param contextTokens cells of the KV cache, shared by all sequences; 0 for the model's own
 *     context length, at most {@link #CONTEXT_DEFAULT_MAX}
 * @param batchRows the most rows of one step; longer prompts are computed in chunks
 * @param sequencesMax the most sequences that run at once; others wait
 * @param threads CPU threads; 0 for as many as there are cores that nothing else uses when the
 *     engine starts
 * @param kvTypes element types of the KV cache
 * @param adapterBytes the most memory for adapters, which are brought there when they are used
 * @param prefixCache what is kept of finished requests, for others with the same beginning
 * @param kernels which kernels of Gatun's own are used; {@link Kernels#ggml} gives libllama's bits
 * @param scheduling how steps are shared
 */
public record EngineOptions(
    int contextTokens,
    int batchRows,
    int sequencesMax,
    int threads,
    KvTypes kvTypes,
    long adapterBytes,
    PrefixCacheOptions prefixCache,
    Kernels kernels,
    SchedulingOptions scheduling) {
  /** The context that an engine gets when nobody asks for one, if the model's own is longer. */
  public static final int CONTEXT_DEFAULT_MAX = 4096;

  public EngineOptions {
    require("contextTokens", contextTokens, 0, 1 << 24);
    require("batchRows", batchRows, 1, 4096);
    require("sequencesMax", sequencesMax, 1, 4096);
    require("threads", threads, 0, 512);
    if (adapterBytes < 0) {
      throw new IllegalArgumentException("adapterBytes must not be negative, got " + adapterBytes);
    }
  }

  public static EngineOptions defaults() {
    return new EngineOptions(
        0,
        512,
        64,
        0,
        KvTypes.F16,
        1L << 30,
        PrefixCacheOptions.none(),
        Kernels.own(),
        SchedulingOptions.defaults());
  }

  public EngineOptions withContextTokens(int tokens) {
    return new EngineOptions(
        tokens,
        batchRows,
        sequencesMax,
        threads,
        kvTypes,
        adapterBytes,
        prefixCache,
        kernels,
        scheduling);
  }

  public EngineOptions withBatchRows(int rows) {
    return new EngineOptions(
        contextTokens,
        rows,
        sequencesMax,
        threads,
        kvTypes,
        adapterBytes,
        prefixCache,
        kernels,
        scheduling);
  }

  public EngineOptions withSequencesMax(int sequences) {
    return new EngineOptions(
        contextTokens,
        batchRows,
        sequences,
        threads,
        kvTypes,
        adapterBytes,
        prefixCache,
        kernels,
        scheduling);
  }

  public EngineOptions withThreads(int count) {
    return new EngineOptions(
        contextTokens,
        batchRows,
        sequencesMax,
        count,
        kvTypes,
        adapterBytes,
        prefixCache,
        kernels,
        scheduling);
  }

  public EngineOptions withKernels(Kernels chosen) {
    return new EngineOptions(
        contextTokens,
        batchRows,
        sequencesMax,
        threads,
        kvTypes,
        adapterBytes,
        prefixCache,
        chosen,
        scheduling);
  }

  public EngineOptions withKvTypes(KvTypes types) {
    return new EngineOptions(
        contextTokens,
        batchRows,
        sequencesMax,
        threads,
        types,
        adapterBytes,
        prefixCache,
        kernels,
        scheduling);
  }

  public EngineOptions withAdapterBytes(long bytes) {
    return new EngineOptions(
        contextTokens,
        batchRows,
        sequencesMax,
        threads,
        kvTypes,
        bytes,
        prefixCache,
        kernels,
        scheduling);
  }

  public EngineOptions withPrefixCache(PrefixCacheOptions kept) {
    return new EngineOptions(
        contextTokens,
        batchRows,
        sequencesMax,
        threads,
        kvTypes,
        adapterBytes,
        kept,
        kernels,
        scheduling);
  }

  public EngineOptions withScheduling(SchedulingOptions other) {
    return new EngineOptions(
        contextTokens,
        batchRows,
        sequencesMax,
        threads,
        kvTypes,
        adapterBytes,
        prefixCache,
        kernels,
        other);
  }

  private static void require(String name, int value, int low, int high) {
    if (value < low || value > high) {
      throw new IllegalArgumentException(
          "%s must be %d to %d, got %d".formatted(name, low, high, value));
    }
  }
}
