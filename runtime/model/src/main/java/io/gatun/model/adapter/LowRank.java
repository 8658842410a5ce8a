package io.gatun.model.adapter;

import io.gatun.tensor.ShapeException;

/**
 * The change of one matrix: Δy = scale · B·(A·x), arXiv 2106.09685. Values lie as in a GGUF file,
 * the first length innermost.
 *
 * @param in how long x is
 * @param out how long y is
 * @param rank r
 * @param experts X for a stack of expert matrices, else 1
 * @param a [in, r, X]
 * @param b [r, out, X]
 * @param scale α/r, or what an rsLoRA has instead
 */
public record LowRank(int in, int out, int rank, int experts, float[] a, float[] b, float scale) {
  public LowRank {
    if (in < 1 || out < 1 || rank < 1 || experts < 1) {
      throw new ShapeException(
          "LoRA: %d to %d values of rank %d with %d experts".formatted(in, out, rank, experts));
    }
    if (a.length != (long) in * rank * experts || b.length != (long) rank * out * experts) {
      throw new ShapeException(
          "LoRA of [%d, %d] and rank %d with %d experts: A has %d values, B %d"
              .formatted(in, out, rank, experts, a.length, b.length));
    }
    if (!Float.isFinite(scale)) {
      throw new ShapeException("LoRA: the scale is " + scale);
    }
  }

  /** The same change, so many times as strong. */
  public LowRank times(float factor) {
    return new LowRank(in, out, rank, experts, a, b, scale * factor);
  }
}
