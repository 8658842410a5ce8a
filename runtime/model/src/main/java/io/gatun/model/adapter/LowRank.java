package io.gatun.model.adapter;

import io.gatun.tensor.ShapeException;

/**
 * The change of one matrix: Δy = scale · B·(A·x), arXiv 2106.09685, and with gains Δy = gain ⊙ y +
 * scale · B·(A·x), what a DoRA (arXiv 2402.09353) comes to: W' = W + diag(gain)·W + scale · B·A.
 * Values lie as in a GGUF file, the first length innermost.
 *
 * @param in how long x is
 * @param out how long y is
 * @param rank r
 * @param experts X for a stack of expert matrices, else 1
 * @param a [in, r, X]
 * @param b [r, out, X]
 * @param scale α/r, or what an rsLoRA has instead
 * @param gain [out], by what share of itself each row of W grows; empty for none; not for experts
 */
public record LowRank(
    int in, int out, int rank, int experts, float[] a, float[] b, float scale, float[] gain) {
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
    if (gain.length != 0 && (gain.length != out || experts != 1)) {
      throw new ShapeException(
          "LoRA of [%d, %d] with %d experts: %d gains".formatted(in, out, experts, gain.length));
    }
  }

  /** A LoRA without gains. */
  public LowRank(int in, int out, int rank, int experts, float[] a, float[] b, float scale) {
    this(in, out, rank, experts, a, b, scale, new float[0]);
  }

  /** Whether rows of W grow or shrink. */
  public boolean rescales() {
    return gain.length != 0;
  }

  /** The same change, so many times as strong. */
  public LowRank times(float factor) {
    float[] gains = gain.clone();
    for (int i = 0; i < gains.length; i++) {
      gains[i] *= factor;
    }
    return new LowRank(in, out, rank, experts, a, b, scale * factor, gains);
  }
}
