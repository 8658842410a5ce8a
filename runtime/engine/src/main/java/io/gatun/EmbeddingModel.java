package io.gatun;

import io.gatun.engine.embed.Embedder;
import io.gatun.model.Model;
import io.gatun.model.Pooling;
import io.gatun.model.UnsupportedModelException;
import java.util.List;

/**
 * A loaded model that makes vectors of texts. Texts that mean about the same have vectors of a
 * small angle: {@link #similarity}.
 *
 * <p>Thread-safe. After closing it, every use throws {@link IllegalStateException}.
 */
public final class EmbeddingModel implements AutoCloseable {
  private final Embedder embedder;

  EmbeddingModel(Embedder embedder) {
    if (embedder.pooling() == Pooling.RANK) {
      embedder.close();
      throw new UnsupportedModelException(
          "%s ranks documents and has no vectors; load it with Gatun.loadReranker"
              .formatted(embedder.model().name()));
    }
    this.embedder = embedder;
  }

  /** The vector of a text, of length 1. */
  public float[] embed(String text) {
    return embed(List.of(text)).getFirst();
  }

  /**
   * The vectors of texts, each of length 1, in their order.
   *
   * @throws io.gatun.tensor.CapacityException when a text is longer than the model's context
   */
  public List<float[]> embed(List<String> texts) {
    List<int[]> tokens =
        texts.stream().map(t -> model().vocabulary().encode(t, true, false)).toList();
    return embedTokens(tokens);
  }

  /** {@link #embed(List)} of texts that are tokens already. */
  public List<float[]> embedTokens(List<int[]> texts) {
    return embedder.embed(texts).stream().map(EmbeddingModel::normalised).toList();
  }

  /** What is below: the model's file, numbers and vocabulary. */
  public Model model() {
    return embedder.model();
  }

  /** What computes, for callers that work with tokens or want vectors as the model gives them. */
  public Embedder embedder() {
    return embedder;
  }

  /**
   * The cosine of the angle between two vectors of length 1: −1 to 1.
   *
   * @throws IllegalArgumentException when they are of different models
   */
  public static double similarity(float[] a, float[] b) {
    if (a.length != b.length) {
      throw new IllegalArgumentException(
          "vectors of %d and %d numbers cannot be compared".formatted(a.length, b.length));
    }
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  @Override
  public void close() {
    embedder.close();
  }

  private static float[] normalised(float[] vector) {
    double squares = 0;
    for (float v : vector) {
      squares += (double) v * v;
    }
    float factor = squares > 0 ? (float) (1 / Math.sqrt(squares)) : 0;
    float[] unit = new float[vector.length];
    for (int i = 0; i < unit.length; i++) {
      unit[i] = vector[i] * factor;
    }
    return unit;
  }
}
