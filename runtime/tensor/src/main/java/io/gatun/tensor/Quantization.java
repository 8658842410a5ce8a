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
   * @throws ShapeException when the rows do not fit the type, or GGML cannot write it
   */
  public static byte[] quantize(DType type, float[] values, int rowLength) {
    var _ = NativeLibraries.load();
    if (rowLength < 1 || values.length % rowLength != 0 || rowLength % type.blockSize() != 0) {
      throw new ShapeException(
          "%d values are no rows of %d elements of %s".formatted(values.length, rowLength, type));
    }
    if (Ggml.ggml_quantize_requires_imatrix(type.id())) {
      throw new ShapeException(type + " can only be written with importance data");
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
              type.id(), source, target, 0, rows, rowLength, MemorySegment.NULL);
      assert written == target.byteSize();
      return target.toArray(ValueLayout.JAVA_BYTE);
    }
  }
}
