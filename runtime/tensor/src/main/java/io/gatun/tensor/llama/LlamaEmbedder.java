package io.gatun.tensor.llama;

import static java.lang.foreign.MemorySegment.NULL;

import io.gatun.bindings.NativeLibraries;
import io.gatun.bindings.NativeLog;
import io.gatun.bindings.ggml.Llama;
import io.gatun.bindings.ggml.llama_context_params;
import io.gatun.tensor.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/**
 * libllama's own vectors of texts: for models that Gatun has no graph of, and the oracle of
 * Gatun's.
 *
 * @owner one thread
 */
public final class LlamaEmbedder implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final MemorySegment context;
  private final LlamaBatch batch;
  private boolean closed;

  /**
   * Makes a context that embeds.
   *
   * @param rowsMax the most tokens of all texts of one call
   * @param pooling libllama's number of it, or -1 for the file's own
   */
  public LlamaEmbedder(LlamaModel model, int rowsMax, int texts, int threads, int pooling) {
    NativeLibraries.loadForLlama();
    int rows = Math.max(rowsMax, texts); // libllama reserves an output for each text
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
    batch = new LlamaBatch(arena, rows);
  }

  /** The vectors of texts, {@code width} numbers each. */
  public float[][] embed(List<int[]> texts, int width) {
    int rows = texts.stream().mapToInt(t -> t.length).sum();
    int[] tokens = new int[rows];
    int[] positions = new int[rows];
    int[] sequences = new int[rows];
    boolean[] wanted = new boolean[rows];
    Arrays.fill(wanted, true);
    int at = 0;
    for (int text = 0; text < texts.size(); text++) {
      for (int i = 0; i < texts.get(text).length; i++, at++) {
        tokens[at] = texts.get(text)[i];
        positions[at] = i;
        sequences[at] = text;
      }
    }
    // For encoders too: without a cache it encodes. The other way round it would crash.
    int status = Llama.llama_decode(context, batch.of(tokens, positions, sequences, wanted));
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
      batch.close();
      arena.close();
    }
  }
}
