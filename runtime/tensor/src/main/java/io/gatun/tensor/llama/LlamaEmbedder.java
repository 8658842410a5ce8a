package io.gatun.tensor.llama;

import static java.lang.foreign.MemorySegment.NULL;

import io.gatun.bindings.NativeLibraries;
import io.gatun.bindings.NativeLog;
import io.gatun.bindings.ggml.Llama;
import io.gatun.bindings.ggml.llama_batch;
import io.gatun.bindings.ggml.llama_context_params;
import io.gatun.tensor.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * libllama's own vectors of texts: the oracle of Gatun's.
 *
 * @owner one thread
 */
public final class LlamaEmbedder implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final MemorySegment context;
  private final MemorySegment batch;
  private boolean closed;

  /**
   * Makes a context that embeds.
   *
   * @param rows the most tokens of all texts of one call
   * @param pooling libllama's number of it, or -1 for the file's own
   */
  public LlamaEmbedder(LlamaModel model, int rows, int texts, int threads, int pooling) {
    NativeLibraries.loadForLlama();
    MemorySegment params = Llama.llama_context_default_params(arena);
    llama_context_params.n_ctx(params, rows);
    llama_context_params.n_batch(params, rows);
    llama_context_params.n_ubatch(params, rows);
    llama_context_params.n_seq_max(params, texts);
    llama_context_params.n_threads(params, threads);
    llama_context_params.n_threads_batch(params, threads);
    llama_context_params.kv_unified(params, true);
    llama_context_params.embeddings(params, true);
    llama_context_params.pooling_type(params, pooling);
    MemorySegment raw = Llama.llama_init_from_model(model.handle(), params);
    if (raw.equals(NULL)) {
      arena.close();
      throw new NativeException("libllama cannot make a context: " + NativeLog.recent());
    }
    context = raw.reinterpret(1, arena, Llama::llama_free);
    batch = Llama.llama_batch_init(arena, rows, 0, 1);
  }

  /** The vectors of texts, {@code width} numbers each. */
  public float[][] embed(List<int[]> texts, int width) {
    int rows = texts.stream().mapToInt(t -> t.length).sum();
    llama_batch.n_tokens(batch, rows);
    MemorySegment ids = llama_batch.token(batch).reinterpret(4L * rows);
    MemorySegment pos = llama_batch.pos(batch).reinterpret(4L * rows);
    MemorySegment counts = llama_batch.n_seq_id(batch).reinterpret(4L * rows);
    MemorySegment lists = llama_batch.seq_id(batch).reinterpret(8L * rows);
    MemorySegment wanted = llama_batch.logits(batch).reinterpret(rows);
    int at = 0;
    for (int text = 0; text < texts.size(); text++) {
      for (int i = 0; i < texts.get(text).length; i++, at++) {
        ids.setAtIndex(ValueLayout.JAVA_INT, at, texts.get(text)[i]);
        pos.setAtIndex(ValueLayout.JAVA_INT, at, i);
        counts.setAtIndex(ValueLayout.JAVA_INT, at, 1);
        lists.getAtIndex(ValueLayout.ADDRESS, at).reinterpret(4).set(ValueLayout.JAVA_INT, 0, text);
        wanted.set(ValueLayout.JAVA_BYTE, at, (byte) 1);
      }
    }
    // For encoders too: without a cache it encodes. The other way round it would crash.
    int status = Llama.llama_decode(context, batch);
    if (status != 0) {
      throw new NativeException("llama_decode gave %d: %s".formatted(status, NativeLog.recent()));
    }
    float[][] vectors = new float[texts.size()][];
    for (int text = 0; text < vectors.length; text++) {
      MemorySegment values = Llama.llama_get_embeddings_seq(context, text);
      if (values.equals(NULL)) {
        throw new NativeException("libllama has no vector of text " + text);
      }
      vectors[text] = values.reinterpret(4L * width).toArray(ValueLayout.JAVA_FLOAT);
    }
    return vectors;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      Llama.llama_batch_free(batch);
      arena.close();
    }
  }
}
