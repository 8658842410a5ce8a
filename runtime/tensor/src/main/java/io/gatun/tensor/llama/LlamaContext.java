package io.gatun.tensor.llama;

import static java.lang.foreign.MemorySegment.NULL;

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

/**
 * libllama's own decoding: the oracle that Gatun's graphs are compared with, in tests and in {@code
 * gatun bench --against llama}.
 *
 * @owner one thread
 */
public final class LlamaContext implements AutoCloseable {
  private final Arena arena;
  private final MemorySegment context;
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
    NativeLibraries.loadForLlama();
    this.vocabulary = model.tokenCount();
    this.arena = Arena.ofShared();
    MemorySegment params = Llama.llama_context_default_params(arena);
    llama_context_params.n_ctx(params, cells);
    llama_context_params.n_batch(params, batchRows);
    llama_context_params.n_ubatch(params, batchRows);
    llama_context_params.n_seq_max(params, sequences);
    llama_context_params.n_threads(params, threads);
    llama_context_params.n_threads_batch(params, threads);
    llama_context_params.flash_attn_type(params, Llama.LLAMA_FLASH_ATTN_TYPE_ENABLED());
    llama_context_params.kv_unified(params, true);
    llama_context_params.type_k(params, keys.id());
    llama_context_params.type_v(params, values.id());
    llama_context_params.no_perf(params, true);
    MemorySegment raw = Llama.llama_init_from_model(model.handle(), params);
    if (raw.equals(NULL)) {
      arena.close();
      throw new NativeException("libllama cannot make a context: " + NativeLog.recent());
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
    int status = Llama.llama_decode(context, batch.of(tokens, positions, sequences, wanted));
    if (status != 0) {
      throw new NativeException("llama_decode gave %d: %s".formatted(status, NativeLog.recent()));
    }
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
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment list = scratch.allocateFrom(ValueLayout.ADDRESS, adapter.handle());
      MemorySegment scales = scratch.allocateFrom(ValueLayout.JAVA_FLOAT, scale);
      int status = Llama.llama_set_adapters_lora(context, list, 1, scales);
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

  /** Lets the threads sleep; the next decode wakes them. */
  public void pause() {
    GgmlCpu.ggml_threadpool_pause(threadpool);
  }

  /** Forgets what a sequence has from a position on. */
  public void forget(int sequence, int position) {
    if (!Llama.llama_memory_seq_rm(Llama.llama_get_memory(context), sequence, position, -1)) {
      throw new NativeException(
          "libllama cannot forget sequence %d from position %d".formatted(sequence, position));
    }
  }

  /** Forgets positions of a sequence and moves what is behind them there. */
  public void remove(int sequence, int from, int to) {
    MemorySegment memory = Llama.llama_get_memory(context);
    if (!Llama.llama_memory_seq_rm(memory, sequence, from, to)) {
      throw new NativeException(
          "libllama cannot forget [%d, %d) of sequence %d".formatted(from, to, sequence));
    }
    Llama.llama_memory_seq_add(memory, sequence, to, -1, from - to);
  }

  /** Forgets all sequences. */
  public void clear() {
    Llama.llama_memory_clear(Llama.llama_get_memory(context), true);
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
