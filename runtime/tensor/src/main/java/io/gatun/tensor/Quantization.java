package io.gatun.tensor;

import io.gatun.bindings.NativeLibraries;
import io.gatun.bindings.ggml.Ggml;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Turns F32 rows into the bytes of another element type, with GGML's own code. Thread-safe. */
public final class Quantization {
  private Quantization() {}

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
