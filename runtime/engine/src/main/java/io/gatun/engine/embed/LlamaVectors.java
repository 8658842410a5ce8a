package io.gatun.engine.embed;

import io.gatun.model.Model;
import io.gatun.model.Pooling;
import io.gatun.model.UnsupportedModelException;
import io.gatun.tensor.llama.LlamaEmbedder;
import io.gatun.tensor.llama.LlamaModel;
import java.util.Arrays;
import java.util.List;

/**
 * Makes vectors with libllama. A batch that is larger than any before gets a larger context.
 *
 * @owner the embedder's thread
 */
final class LlamaVectors implements TextVectors {
  /** libllama's own bound of sequences is 256. */
  private static final int TEXTS_MAX = 256;

  private final LlamaModel model;
  private final Pooling pooling;
  private final int threads;
  private final int width;
  private LlamaEmbedder embedder;
  private int rows;

  LlamaVectors(Model model, LlamaModel llama, Pooling pooling, int threads, int rows) {
    if (llama.readsWithEncoder()) {
      throw new UnsupportedModelException(
          "%s: %s has an encoder and a decoder, and makes no vectors of texts"
              .formatted(model.name(), model.hyperparams().architecture()));
    }
    this.model = llama;
    this.pooling = pooling;
    this.threads = threads;
    this.rows = rows;
    this.width = pooling == Pooling.RANK ? llama.labels() : llama.embeddingLength();
    this.embedder = new LlamaEmbedder(llama, rows, TEXTS_MAX, threads, pooling.id());
  }

  @Override
  public List<float[]> compute(List<int[]> texts) {
    int needed = texts.stream().mapToInt(t -> t.length).sum();
    if (needed > rows) {
      embedder.close();
      rows = needed;
      embedder = new LlamaEmbedder(model, rows, TEXTS_MAX, threads, pooling.id());
    }
    float[][] vectors = new float[texts.size()][];
    for (int from = 0; from < vectors.length; from += TEXTS_MAX) {
      int to = Math.min(vectors.length, from + TEXTS_MAX);
      float[][] some = embedder.embed(texts.subList(from, to), width);
      System.arraycopy(some, 0, vectors, from, some.length);
    }
    return Arrays.asList(vectors);
  }

  @Override
  public void close() {
    embedder.close();
  }
}
