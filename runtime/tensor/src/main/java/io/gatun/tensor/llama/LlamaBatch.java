package io.gatun.tensor.llama;

import io.gatun.bindings.ggml.Llama;
import io.gatun.bindings.ggml.llama_batch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The rows of one call of libllama.
 *
 * @owner who made it closes it, before its arena
 */
final class LlamaBatch implements AutoCloseable {
  private final MemorySegment batch;
  private final int rowsMax;

  LlamaBatch(Arena arena, int rowsMax) {
    this.batch = Llama.llama_batch_init(arena, rowsMax, 0, 1);
    this.rowsMax = rowsMax;
  }

  /**
   * Fills it; each row has a token, a position and a sequence.
   *
   * @param wanted which rows' results are computed
   * @return what libllama takes
   */
  MemorySegment of(int[] tokens, int[] positions, int[] sequences, boolean[] wanted) {
    int rows = tokens.length;
    if (rows > rowsMax) {
      throw new IllegalArgumentException("%d rows, at most %d".formatted(rows, rowsMax));
    }
    llama_batch.n_tokens(batch, rows);
    MemorySegment ids = llama_batch.token(batch).reinterpret(4L * rows);
    MemorySegment pos = llama_batch.pos(batch).reinterpret(4L * rows);
    MemorySegment counts = llama_batch.n_seq_id(batch).reinterpret(4L * rows);
    MemorySegment lists = llama_batch.seq_id(batch).reinterpret(8L * rows);
    MemorySegment logits = llama_batch.logits(batch).reinterpret(rows);
    for (int i = 0; i < rows; i++) {
      ids.setAtIndex(ValueLayout.JAVA_INT, i, tokens[i]);
      pos.setAtIndex(ValueLayout.JAVA_INT, i, positions[i]);
      counts.setAtIndex(ValueLayout.JAVA_INT, i, 1);
      lists
          .getAtIndex(ValueLayout.ADDRESS, i)
          .reinterpret(4)
          .set(ValueLayout.JAVA_INT, 0, sequences[i]);
      logits.set(ValueLayout.JAVA_BYTE, i, (byte) (wanted[i] ? 1 : 0));
    }
    return batch;
  }

  @Override
  public void close() {
    Llama.llama_batch_free(batch);
  }
}
