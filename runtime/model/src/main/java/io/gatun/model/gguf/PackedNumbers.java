package io.gatun.model.gguf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** An array of numbers in the width that a GGUF file has them in. Immutable; thread-safe. */
public final class PackedNumbers {
  private static final int FLOAT = 6;

  private final int type;
  private final ByteBuffer bytes;

  /**
   * @param type the file's number of the element type
   * @param bytes little-endian; owned by this array
   */
  PackedNumbers(int type, byte[] bytes) {
    this.type = type;
    this.bytes = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Integers or booleans in a narrower type; what does not fit loses its high bits. */
  static PackedNumbers of(int type, long[] values) {
    int width = width(type);
    ByteBuffer packed = ByteBuffer.allocate(width * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (long value : values) {
      switch (width) {
        case 1 -> packed.put((byte) value);
        case 2 -> packed.putShort((short) value);
        case 4 -> packed.putInt((int) value);
        default -> packed.putLong(value);
      }
    }
    return new PackedNumbers(type, packed.array());
  }

  static PackedNumbers of(int type, double[] values) {
    ByteBuffer packed =
        ByteBuffer.allocate(width(type) * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (double value : values) {
      var _ = type == FLOAT ? packed.putFloat((float) value) : packed.putDouble(value);
    }
    return new PackedNumbers(type, packed.array());
  }

  /** Bytes of a number of a type. */
  static int width(int type) {
    return switch (type) {
      case 0, 1, 7 -> 1;
      case 2, 3 -> 2;
      case 4, 5, FLOAT -> 4;
      case 10, 11, 12 -> 8;
      default -> throw new IllegalArgumentException("type " + type + " is no number");
    };
  }

  public int length() {
    return bytes.capacity() / width(type);
  }

  /** An integer, unsigned ones as such; booleans are 0 and 1. */
  public long integer(int index) {
    return switch (type) {
      case 0, 7 -> bytes.get(index) & 0xffL;
      case 1 -> bytes.get(index);
      case 2 -> bytes.getShort(2 * index) & 0xffffL;
      case 3 -> bytes.getShort(2 * index);
      case 4 -> bytes.getInt(4 * index) & 0xffffffffL;
      case 5 -> bytes.getInt(4 * index);
      case 10, 11 -> bytes.getLong(8 * index);
      default -> (long) number(index);
    };
  }

  /** Any number. */
  public double number(int index) {
    return switch (type) {
      case FLOAT -> bytes.getFloat(4 * index);
      case 12 -> bytes.getDouble(8 * index);
      default -> integer(index);
    };
  }

  /** A copy as integers, eight bytes each. */
  public long[] integers() {
    long[] values = new long[length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = integer(i);
    }
    return values;
  }

  /** A copy as numbers, eight bytes each. */
  public double[] numbers() {
    double[] values = new double[length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = number(i);
    }
    return values;
  }

  /** As in the file, little-endian. */
  byte[] raw() {
    return bytes.array();
  }
}
