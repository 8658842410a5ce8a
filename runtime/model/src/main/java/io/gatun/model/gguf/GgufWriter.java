package io.gatun.model.gguf;

import io.gatun.tensor.DType;
import io.gatun.tensor.Layout;
import io.gatun.tensor.Shape;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a GGUF file, version 3. Collect metadata and tensors, then {@link #write}. Nothing appears
 * under the file's name before everything is written.
 *
 * <p>Not thread-safe.
 */
public final class GgufWriter {
  private static final int MAGIC = 0x46554747; // "GGUF"
  private static final int VERSION = 3;
  private static final int ALIGNMENT_DEFAULT = 32;

  private final Map<String, GgufValue> metadata = new LinkedHashMap<>();
  private final Map<String, Entry> tensors = new LinkedHashMap<>();

  /** Where a tensor's bytes come from. */
  @FunctionalInterface
  public interface Body {
    /** Writes exactly the tensor's bytes. */
    void writeTo(WritableByteChannel channel) throws IOException;
  }

  private record Entry(DType type, Shape shape, Body body) {
    long bytes() {
      return Layout.dense(type, shape).bytes();
    }
  }

  /** Sets a metadata value. */
  public GgufWriter put(String key, GgufValue value) {
    metadata.put(key, value);
    return this;
  }

  public GgufWriter put(String key, String value) {
    return put(key, new GgufValue.Text(value));
  }

  /** Sets an unsigned 32-bit value, the usual type of counts. */
  public GgufWriter put(String key, int value) {
    return put(key, new GgufValue.Int(4, value));
  }

  public GgufWriter put(String key, float value) {
    return put(key, new GgufValue.Float(6, value));
  }

  public GgufWriter put(String key, boolean value) {
    return put(key, new GgufValue.Bool(value));
  }

  /** Adds a tensor. */
  public GgufWriter tensor(String name, DType type, Shape shape, Body body) {
    if (tensors.put(name, new Entry(type, shape, body)) != null) {
      throw new IllegalArgumentException("the tensor " + name + " is added twice");
    }
    return this;
  }

  /** Adds a tensor whose bytes are at hand. */
  public GgufWriter tensor(String name, DType type, Shape shape, byte[] bytes) {
    return tensor(
        name,
        type,
        shape,
        channel -> {
          ByteBuffer buffer = ByteBuffer.wrap(bytes);
          while (buffer.hasRemaining()) {
            var _ = channel.write(buffer);
          }
        });
  }

  /** Writes beside the file first, and then moves it there in one step. */
  public void write(Path file) throws IOException {
    // Not createTempFile, whose files nobody else may read.
    long process = ProcessHandle.current().pid();
    Path temporary = file.resolveSibling("%s.%d.part".formatted(file.getFileName(), process));
    try {
      try (FileChannel channel =
          FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
        write(channel);
      }
      var _ =
          Files.move(
              temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      var _ = Files.deleteIfExists(temporary);
    }
  }

  /** The header alone, without tensors' bytes. */
  public byte[] header() {
    Output out = new Output();
    out.i32(MAGIC);
    out.i32(VERSION);
    out.i64(tensors.size());
    out.i64(metadata.size());
    metadata.forEach((key, value) -> {
      out.text(key);
      out.i32(value.typeId());
      out.value(value);
    });
    long offset = 0;
    for (Map.Entry<String, Entry> tensor : tensors.entrySet()) {
      Shape shape = tensor.getValue().shape();
      int rank = rank(shape);
      out.text(tensor.getKey());
      out.i32(rank);
      for (int axis = 0; axis < rank; axis++) {
        out.i64(shape.get(axis));
      }
      out.i32(tensor.getValue().type().id());
      out.i64(offset);
      offset = aligned(offset + tensor.getValue().bytes());
    }
    out.pad(alignment());
    return out.bytes();
  }

  private void write(FileChannel channel) throws IOException {
    ByteBuffer header = ByteBuffer.wrap(header());
    while (header.hasRemaining()) {
      var _ = channel.write(header);
    }
    for (Map.Entry<String, Entry> tensor : tensors.entrySet()) {
      long start = channel.position();
      tensor.getValue().body().writeTo(channel);
      long written = channel.position() - start;
      if (written != tensor.getValue().bytes()) {
        throw new IllegalStateException(
            "%s: %d bytes were written, expected %d"
                .formatted(tensor.getKey(), written, tensor.getValue().bytes()));
      }
      ByteBuffer padding = ByteBuffer.allocate((int) (aligned(written) - written));
      while (padding.hasRemaining()) {
        var _ = channel.write(padding);
      }
    }
  }

  private long aligned(long offset) {
    return Math.ceilDiv(offset, (long) alignment()) * alignment();
  }

  private int alignment() {
    return metadata.get("general.alignment") instanceof GgufValue.Int(int _, long value)
        ? (int) value
        : ALIGNMENT_DEFAULT;
  }

  private static int rank(Shape shape) {
    for (int axis = 3; axis > 0; axis--) {
      if (shape.get(axis) != 1) {
        return axis + 1;
      }
    }
    return 1;
  }

  /** Little-endian bytes. */
  private static final class Output {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    void i32(int value) {
      out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    }

    void i64(long value) {
      out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    }

    void text(String value) {
      text(value.getBytes(StandardCharsets.UTF_8));
    }

    private void text(byte[] bytes) {
      i64(bytes.length);
      out.writeBytes(bytes);
    }

    void value(GgufValue value) {
      switch (value) {
        case GgufValue.Int(int type, long v) -> integer(type, v);
        case GgufValue.Float(int type, double v) -> real(type, v);
        case GgufValue.Bool(boolean v) -> out.write(v ? 1 : 0);
        case GgufValue.Text(String v) -> text(v);
        case GgufValue.Ints(int type, PackedNumbers values) -> {
          array(type, values.length());
          out.writeBytes(values.raw());
        }
        case GgufValue.Floats(int type, PackedNumbers values) -> {
          array(type, values.length());
          out.writeBytes(values.raw());
        }
        case GgufValue.Texts(List<String> values) -> {
          array(8, values.size());
          for (int i = 0; i < values.size(); i++) {
            text(
                values instanceof PackedTexts packed
                    ? packed.raw(i)
                    : values.get(i).getBytes(StandardCharsets.UTF_8));
          }
        }
        case GgufValue.Nested(List<GgufValue> values) -> {
          array(9, values.size());
          values.forEach(this::value);
        }
      }
    }

    void pad(int alignment) {
      while (out.size() % alignment != 0) {
        out.write(0);
      }
    }

    byte[] bytes() {
      return out.toByteArray();
    }

    private void array(int type, int length) {
      i32(type);
      i64(length);
    }

    private void integer(int type, long value) {
      int bytes =
          switch (type) {
            case 0, 1, 7 -> 1;
            case 2, 3 -> 2;
            case 4, 5 -> 4;
            default -> 8;
          };
      for (int i = 0; i < bytes; i++) {
        out.write((int) (value >>> (8 * i)));
      }
    }

    private void real(int type, double value) {
      if (type == 6) {
        i32(Float.floatToRawIntBits((float) value));
      } else {
        i64(Double.doubleToRawLongBits(value));
      }
    }
  }
}
