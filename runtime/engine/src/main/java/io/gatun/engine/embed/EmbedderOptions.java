package io.gatun.engine.embed;

import io.gatun.model.Pooling;
import io.gatun.tensor.Kernels;
import java.util.Optional;

/**
 * How texts become vectors.
 *
 * @param pooling instead of what the file asks for
 * @param batchRows tokens that are computed together; a longer text still is, alone
 * @param threads CPU threads; 0 for as many as there are cores that nothing else uses
 * @param truncate whether a text longer than the model's context is cut, and not refused
 */
public record EmbedderOptions(
    Optional<Pooling> pooling, int batchRows, int threads, boolean truncate, Kernels kernels) {
  public EmbedderOptions {
    if (batchRows < 1 || batchRows > 1 << 16) {
      throw new IllegalArgumentException(
          "batchRows must be 1 to 65536, got %d".formatted(batchRows));
    }
    if (threads < 0 || threads > 512) {
      throw new IllegalArgumentException("threads must be 0 to 512, got %d".formatted(threads));
    }
  }

  public static EmbedderOptions defaults() {
    return new EmbedderOptions(Optional.empty(), 512, 0, false, Kernels.own());
  }

  public EmbedderOptions withPooling(Pooling other) {
    return new EmbedderOptions(Optional.of(other), batchRows, threads, truncate, kernels);
  }

  public EmbedderOptions withBatchRows(int rows) {
    return new EmbedderOptions(pooling, rows, threads, truncate, kernels);
  }

  public EmbedderOptions withThreads(int count) {
    return new EmbedderOptions(pooling, batchRows, count, truncate, kernels);
  }

  public EmbedderOptions withTruncate(boolean cut) {
    return new EmbedderOptions(pooling, batchRows, threads, cut, kernels);
  }

  public EmbedderOptions withKernels(Kernels chosen) {
    return new EmbedderOptions(pooling, batchRows, threads, truncate, chosen);
  }
}
