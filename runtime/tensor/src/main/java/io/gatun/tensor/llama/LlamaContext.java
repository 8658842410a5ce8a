package io.gatun.tensor.llama;

import static java.lang.foreign.MemorySegment.NULL;

import io.gatun.bindings.AbortTrap;
import io.gatun.bindings.NativeLibraries;
import io.gatun.bindings.NativeLog;
import io.gatun.bindings.ggml.GatunKernels;
import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.GgmlCpu;
import io.gatun.bindings.ggml.Llama;
import io.gatun.bindings.ggml.ggml_threadpool_params;
import io.gatun.bindings.ggml.llama_context_params;
import io.gatun.tensor.DType;
import io.gatun.tensor.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.List;

/**
 * libllama's own decoding: the engine of models that Gatun has no graph of, and the oracle that
 * Gatun's graphs are compared with, in tests and in {@code gatun bench --against llama}.
 *
 * @owner one thread; only {@link #cancel} may be called from others
 */
public final class LlamaContext implements AutoCloseable {
  /** What llama_decode says then. */
  private static final int STOPPED = 2;

  private static final VarHandle FLAG = ValueLayout.JAVA_BYTE.varHandle();

  private final Arena arena;
  private final MemorySegment context;
  private final MemorySegment cancelFlag;
  private final LlamaBatch batch;
  private final MemorySegment threadpool;
  private final int vocabulary;
  private boolean closed;

  /**
   * @param cells tokens in the KV cache, over all sequences
   * @param batchRows the most rows of one {@link #decode}
   * @param sequences the most sequences
   */
  public LlamaContext(LlamaModel model, int cells, int batchRows, int sequences, int threads) {
    this(model, cells, batchRows, sequences, threads, DType.F16, DType.F16);
  }

  /** The same with other types of keys and values than F16. */
  public LlamaContext(
      LlamaModel model,
      int cells,
      int batchRows,
      int sequences,
      int threads,
      DType keys,
      DType values) {
    this(model, cells, batchRows, sequences, threads, keys, values, false);
  }

  /**
   * One for any model: with flash attention only where the model's graph has it, and with all
   * tokens kept in layers with a window, so that every sequence can be rewound.
   */
  public static LlamaContext general(
      LlamaModel model,
      int cells,
      int batchRows,
      int sequences,
      int threads,
      DType keys,
      DType values) {
    return new LlamaContext(model, cells, batchRows, sequences, threads, keys, values, true);
  }

  private LlamaContext(
      LlamaModel model,
      int cells,
      int batchRows,
      int sequences,
      int threads,
      DType keys,
      DType values,
      boolean general) {
    NativeLibraries.loadForLlama();
    this.vocabulary = model.tokenCount();
    this.arena = Arena.ofShared();
    MemorySegment params = Llama.llama_context_default_params(arena);
    llama_context_params.n_ctx(params, cells);
    int rows = Math.max(batchRows, sequences); // libllama reserves an output for each sequence
    llama_context_params.n_batch(params, rows);
    llama_context_params.n_ubatch(params, rows);
    llama_context_params.n_seq_max(params, sequences);
    llama_context_params.n_threads(params, threads);
    llama_context_params.n_threads_batch(params, threads);
    llama_context_params.flash_attn_type(
        params,
        general ? Llama.LLAMA_FLASH_ATTN_TYPE_AUTO() : Llama.LLAMA_FLASH_ATTN_TYPE_ENABLED());
    if (general) {
      llama_context_params.swa_full(params, true);
    }
    llama_context_params.kv_unified(params, true);
    llama_context_params.type_k(params, keys.id());
    llama_context_params.type_v(params, values.id());
    llama_context_params.no_perf(params, true);
    cancelFlag = arena.allocate(8, 8);
    llama_context_params.abort_callback(params, GatunKernels.gatun_abort_requested$address());
    llama_context_params.abort_callback_data(params, cancelFlag);
    NativeLog.clear();
    MemorySegment raw = Llama.llama_init_from_model(model.handle(), params);
    if (raw.equals(NULL)) {
      arena.close();
      throw new NativeException("libllama cannot make a context: " + NativeLog.errors());
    }
    context = raw.reinterpret(1, arena, Llama::llama_free);
    batch = new LlamaBatch(arena, batchRows);
    // Without one, libllama starts threads anew for every compute, which nobody who measures wants.
    threadpool = newThreadpool(threads);
    Llama.llama_attach_threadpool(context, threadpool, threadpool);
  }

  private static MemorySegment newThreadpool(int threads) {
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment params = ggml_threadpool_params.allocate(scratch);
      Ggml.ggml_threadpool_params_init(params, threads);
      return GgmlCpu.ggml_threadpool_new(params);
    }
  }

  /**
   * Decodes rows; each has a token, a position and a sequence.
   *
   * @param wanted which rows' logits are computed
   */
  public void decode(int[] tokens, int[] positions, int[] sequences, boolean[] wanted) {
    if (!tryDecode(tokens, positions, sequences, wanted)) {
      throw new NativeException("llama_decode was stopped");
    }
  }

  /** {@link #decode}; false when {@link #cancel} stopped it, and then a part may be kept. */
  public boolean tryDecode(int[] tokens, int[] positions, int[] sequences, boolean[] wanted) {
    AbortTrap.computing(true);
    int status = Llama.llama_decode(context, batch.of(tokens, positions, sequences, wanted));
    AbortTrap.computing(false);
    if (status == STOPPED) {
      return false;
    }
    if (status != 0) {
      throw new NativeException("llama_decode gave %d: %s".formatted(status, NativeLog.recent()));
    }
    return true;
  }

  /** Stops the running decode after its current node. Any thread may call this. */
  public void cancel() {
    FLAG.setVolatile(cancelFlag, 0L, (byte) 1);
  }

  /** Forgets an earlier {@link #cancel}. */
  public void clearCancel() {
    FLAG.setVolatile(cancelFlag, 0L, (byte) 0);
  }

  /** Logits of a row of the last batch that wanted them. */
  public float[] logits(int row) {
    MemorySegment values = Llama.llama_get_logits_ith(context, row);
    if (values.equals(NULL)) {
      throw new IllegalArgumentException("row %d has no logits".formatted(row));
    }
    return values.reinterpret(4L * vocabulary).toArray(ValueLayout.JAVA_FLOAT);
  }

  /** The token with the largest logit of a row of the last batch that wanted them. */
  public int best(int row) {
    MemorySegment values = Llama.llama_get_logits_ith(context, row);
    if (values.equals(NULL)) {
      throw new IllegalArgumentException("row %d has no logits".formatted(row));
    }
    return GatunKernels.gatun_argmax(values, vocabulary);
  }

  /** Lets one LoRA act from now on, instead of those before. */
  public void setAdapter(LlamaAdapter adapter, float scale) {
    setAdapters(List.of(adapter), new float[] {scale});
  }

  /** Lets LoRAs act from now on, or none, instead of those before. */
  public void setAdapters(List<LlamaAdapter> adapters, float[] scales) {
    try (Arena scratch = Arena.ofConfined()) {
      int count = adapters.size();
      MemorySegment list = scratch.allocate(ValueLayout.ADDRESS, Math.max(1, count));
      for (int i = 0; i < count; i++) {
        list.setAtIndex(ValueLayout.ADDRESS, i, adapters.get(i).handle());
      }
      MemorySegment factors = scratch.allocate(ValueLayout.JAVA_FLOAT, Math.max(1, count));
      MemorySegment.copy(scales, 0, factors, ValueLayout.JAVA_FLOAT, 0, count);
      int status = Llama.llama_set_adapters_lora(context, list, count, factors);
      if (status != 0) {
        throw new NativeException(
            "llama_set_adapters_lora gave %d: %s".formatted(status, NativeLog.recent()));
      }
    }
  }

  /**
   * Adds directions to what layers give from now on.
   *
   * @param directions one of {@code width} numbers for each layer from the second, which is layer 1
   */
  public void setControlVector(float[] directions, int width) {
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment data = scratch.allocateFrom(ValueLayout.JAVA_FLOAT, directions);
      int layers = directions.length / width;
      int status = Llama.llama_set_adapter_cvec(context, data, directions.length, width, 1, layers);
      if (status != 0) {
        throw new NativeException(
            "llama_set_adapter_cvec gave %d: %s".formatted(status, NativeLog.recent()));
      }
    }
  }

  /** Lets no directions act any more. */
  public void clearControlVector() {
    int status = Llama.llama_set_adapter_cvec(context, NULL, 0, 0, 0, 0);
    if (status != 0) {
      throw new NativeException(
          "llama_set_adapter_cvec gave %d: %s".formatted(status, NativeLog.recent()));
    }
  }

  /** Lets the threads sleep; the next decode wakes them. */
  public void pause() {
    GgmlCpu.ggml_threadpool_pause(threadpool);
  }

  /** Forgets what a sequence has from a position on. */
  public void forget(int sequence, int position) {
    if (!tryForget(sequence, position)) {
      throw new NativeException(
          "libllama cannot forget sequence %d from position %d".formatted(sequence, position));
    }
  }

  /** {@link #forget}; false when the model's state can only be forgotten as a whole. */
  public boolean tryForget(int sequence, int position) {
    return Llama.llama_memory_seq_rm(memory(), sequence, position, -1);
  }

  /** Lets a sequence without a past have that of another. */
  public void fork(int from, int to) {
    Llama.llama_memory_seq_cp(memory(), from, to, -1, -1);
  }

  /** Whether positions can be moved. */
  public boolean canShift() {
    return Llama.llama_memory_can_shift(memory());
  }

  /** Forgets positions of a sequence and moves what is behind them there. */
  public void remove(int sequence, int from, int to) {
    MemorySegment memory = memory();
    if (!Llama.llama_memory_seq_rm(memory, sequence, from, to)) {
      throw new NativeException(
          "libllama cannot forget [%d, %d) of sequence %d".formatted(from, to, sequence));
    }
    Llama.llama_memory_seq_add(memory, sequence, to, -1, from - to);
  }

  /** Forgets all sequences. */
  public void clear() {
    Llama.llama_memory_clear(memory(), true);
  }

  private MemorySegment memory() {
    return Llama.llama_get_memory(context);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      batch.close();
      arena.close();
      GgmlCpu.ggml_threadpool_free(threadpool);
    }
  }
}
