package io.gatun.tensor;

/**
 * How a tensor lies in memory: element type, lengths, and the byte distance between neighbours on
 * each axis (GGML's {@code ne} and {@code nb}).
 *
 * @param s0 bytes from one element, or quant block, to the next
 * @param s1 bytes from one row to the next
 * @param s2 bytes from one matrix to the next
 * @param s3 bytes from one cube to the next
 */
public record Layout(DType type, Shape shape, long s0, long s1, long s2, long s3) {

  /** The dense layout of a shape: no gaps, innermost axis first. */
  public static Layout dense(DType type, Shape shape) {
    long row = type.rowBytes(shape.d0());
    return new Layout(
        type, shape, type.blockBytes(), row, row * shape.d1(), row * shape.d1() * shape.d2());
  }

  /** The byte distance between neighbours on one axis. */
  public long stride(int axis) {
    return switch (axis) {
      case 0 -> s0;
      case 1 -> s1;
      case 2 -> s2;
      case 3 -> s3;
      default -> throw new IllegalArgumentException("axis must be 0..3, got " + axis);
    };
  }

  /** Whether the elements lie without gaps in order; axes of length 1 do not matter. */
  public boolean dense() {
    return denseAbove(0);
  }

  /** Whether each row lies without gaps; rows may be anywhere. */
  public boolean rowsDense() {
    return s0 == type.blockBytes();
  }

  /**
   * Whether rows are dense and all axes above the given one follow without gaps; the axes up to it
   * may have any stride (GGML's {@code ggml_is_contiguous_n}).
   */
  public boolean denseAbove(int axis) {
    if (shape.d0() != type.blockSize() && !rowsDense()) {
      return false;
    }
    long expected = type.rowBytes(shape.d0());
    for (int a = 1; a < 4; a++) {
      if (a > axis) {
        if (shape.get(a) != 1 && stride(a) != expected) {
          return false;
        }
        expected *= shape.get(a);
      } else {
        expected = shape.get(a) * stride(a);
      }
    }
    return true;
  }

  /** Whether rows are swapped with columns in memory. */
  public boolean transposed() {
    return s0 > s1;
  }

  /** Bytes from the first to behind the last element. */
  public long bytes() {
    return type.rowBytes(type.blockSize() == 1 ? 1 : shape.d0())
        + (type.blockSize() == 1 ? (shape.d0() - 1) * s0 : 0)
        + (shape.d1() - 1) * s1
        + (shape.d2() - 1) * s2
        + (shape.d3() - 1) * s3;
  }

  @Override
  public String toString() {
    return type + " " + shape;
  }
}
