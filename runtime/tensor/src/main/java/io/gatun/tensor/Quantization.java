package io.gatun.tensor;

import io.gatun.bindings.NativeLibraries;
import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.ggml_to_float_t;
import io.gatun.bindings.ggml.ggml_type_traits;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Turns F32 rows into the bytes of another element type and back, with GGML's own code.
 * Thread-safe.
 */
public final class Quantization {
  private Quantization() {}

  /** Whether {@link #quantize} can write a type without importances. */
  public static boolean writable(DType type) {
    return switch (type) {
      case I8, I16, I32, I64, F64, Q8_1, Q8_K -> false;
      default -> {
        var _ = NativeLibraries.load();
        yield !Ggml.ggml_quantize_requires_imatrix(type.id());
      }
    };
  }

  /** Whether {@link #dequantize} can read a type. */
  public static boolean readable(DType type) {
    return switch (type) {
      case I8, I16, I32, I64, F64, Q8_1, Q8_K -> false;
      default -> true;
    };
  }

  /**
   * The values of a tensor's bytes. F32, F16 and BF16 need no native library.
   *
   * @param bytes whole blocks, little-endian
   * @throws ShapeException when the bytes are no whole blocks, or the type is not one of weights
   */
  public static float[] dequantize(DType type, byte[] bytes) {
    if (!readable(type)) {
      throw new ShapeException(type + " holds no weights");
    }
    long count = bytes.length / type.blockBytes() * (long) type.blockSize();
    if (bytes.length % type.blockBytes() != 0 || count > Integer.MAX_VALUE - 16) {
      throw new ShapeException(
          "%d bytes are no array of whole blocks of %s".formatted(bytes.length, type));
    }
    float[] values = new float[(int) count];
    ByteBuffer source = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    switch (type) {
      case F32 -> {
        var _ = source.asFloatBuffer().get(values);
      }
      case F16 -> {
        for (int i = 0; i < values.length; i++) {
          values[i] = Float.float16ToFloat(source.getShort(2 * i));
        }
      }
      case BF16 -> {
        for (int i = 0; i < values.length; i++) {
          values[i] = Float.intBitsToFloat(source.getShort(2 * i) << 16);
        }
      }
      default -> blocks(type, bytes, values);
    }
    return values;
  }

  private static void blocks(DType type, byte[] bytes, float[] values) {
    var _ = NativeLibraries.load();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(Math.max(1, bytes.length), 64);
      MemorySegment.copy(bytes, 0, source, ValueLayout.JAVA_BYTE, 0, bytes.length);
      MemorySegment target = arena.allocate(ValueLayout.JAVA_FLOAT, Math.max(1, values.length));
      MemorySegment traits =
          Ggml.ggml_get_type_traits(type.id()).reinterpret(ggml_type_traits.sizeof());
      ggml_to_float_t.invoke(ggml_type_traits.to_float(traits), source, target, values.length);
      MemorySegment.copy(target, ValueLayout.JAVA_FLOAT, 0, values, 0, values.length);
    }
  }

  /**
   * Converts whole rows.
   *
   * @param values row by row
   * @param rowLength elements of a row, a multiple of the type's block size
   * @throws ShapeException when the rows do not fit the type, or it needs importances
   */
  public static byte[] quantize(DType type, float[] values, int rowLength) {
    var _ = NativeLibraries.load();
    if (Ggml.ggml_quantize_requires_imatrix(type.id())) {
      throw new ShapeException(type + " can only be written with importances");
    }
    return quantize(type, values, rowLength, new float[0]);
  }

  /**
   * Converts whole rows, so that the error of important columns is small.
   *
   * @param importance one per element of a row, at least 0; empty for equal ones
   */
  public static byte[] quantize(DType type, float[] values, int rowLength, float[] importance) {
    var _ = NativeLibraries.load();
    if (rowLength < 1 || values.length % rowLength != 0 || rowLength % type.blockSize() != 0) {
      throw new ShapeException(
          "%d values are no rows of %d elements of %s".formatted(values.length, rowLength, type));
    }
    if (importance.length != 0 && importance.length != rowLength) {
      throw new ShapeException(
          "%d importances for rows of %d".formatted(importance.length, rowLength));
    }
    long rows = values.length / rowLength;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
      if (type == DType.F32) {
        return source.toArray(ValueLayout.JAVA_BYTE);
      }
      MemorySegment target = arena.allocate(type.rowBytes(rowLength) * rows, 64);
      Ggml.ggml_quantize_init(type.id());
      long written =
          Ggml.ggml_quantize_chunk(
              type.id(),
              source,
              target,
              0,
              rows,
              rowLength,
              importance.length == 0
                  ? MemorySegment.NULL
                  : arena.allocateFrom(ValueLayout.JAVA_FLOAT, importance));
      assert written == target.byteSize();
      return target.toArray(ValueLayout.JAVA_BYTE);
    }
  }
}
