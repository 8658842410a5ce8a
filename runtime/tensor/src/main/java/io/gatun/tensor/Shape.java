package io.gatun.tensor;

/**
 * Four lengths, innermost first, as GGML counts them: {@code [E, T]} is {@code (E, T, 1, 1)}.
 *
 * <p>Every length is at least 1 and the product fits a {@code long}, so code that holds a shape
 * need not check again.
 */
public record Shape(long d0, long d1, long d2, long d3) {
  public Shape {
    if (d0 < 1 || d1 < 1 || d2 < 1 || d3 < 1) {
      throw new ShapeException(
          "a shape needs positive lengths, got [%d, %d, %d, %d]".formatted(d0, d1, d2, d3));
    }
    try {
      long _ = Math.multiplyExact(Math.multiplyExact(d0, d1), Math.multiplyExact(d2, d3));
    } catch (ArithmeticException overflow) {
      throw new ShapeException(
          "the element count of [%d, %d, %d, %d] overflows".formatted(d0, d1, d2, d3), overflow);
    }
  }

  /** Makes a shape of one to four lengths, innermost first. */
  public static Shape of(long... lengths) {
    if (lengths.length < 1 || lengths.length > 4) {
      throw new ShapeException("a shape has 1 to 4 lengths, got " + lengths.length);
    }
    return new Shape(
        lengths[0],
        lengths.length > 1 ? lengths[1] : 1,
        lengths.length > 2 ? lengths[2] : 1,
        lengths.length > 3 ? lengths[3] : 1);
  }

  /** The length of one axis, 0 being the innermost. */
  public long get(int axis) {
    return switch (axis) {
      case 0 -> d0;
      case 1 -> d1;
      case 2 -> d2;
      case 3 -> d3;
      default -> throw new IllegalArgumentException("axis must be 0..3, got " + axis);
    };
  }

  /** The number of elements. */
  public long elements() {
    return d0 * d1 * d2 * d3;
  }

  /** The number of innermost rows. */
  public long rows() {
    return d1 * d2 * d3;
  }

  /** The same shape with another length on one axis. */
  public Shape with(int axis, long length) {
    return new Shape(
        axis == 0 ? length : d0,
        axis == 1 ? length : d1,
        axis == 2 ? length : d2,
        axis == 3 ? length : d3);
  }

  /** Whether repeating this shape a whole number of times along each axis gives {@code larger}. */
  public boolean repeatsInto(Shape larger) {
    return larger.d0 % d0 == 0 && larger.d1 % d1 == 0 && larger.d2 % d2 == 0 && larger.d3 % d3 == 0;
  }

  @Override
  public String toString() {
    if (d3 > 1) {
      return "[%d, %d, %d, %d]".formatted(d0, d1, d2, d3);
    }
    if (d2 > 1) {
      return "[%d, %d, %d]".formatted(d0, d1, d2);
    }
    return d1 > 1 ? "[%d, %d]".formatted(d0, d1) : "[%d]".formatted(d0);
  }
}
