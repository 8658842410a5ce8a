package io.gatun.adapters.peft;

import com.fasterxml.jackson.jr.ob.JSON;
import io.gatun.model.ModelFormatException;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.DType;
import io.gatun.tensor.Quantization;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A safetensors file: eight bytes with the length of a JSON header, the header, the tensors. Every
 * number in it is compared with the file before memory is set aside.
 *
 * @source the format's specification in the safetensors repository, README.md
 */
final class Safetensors implements AutoCloseable {
  /** Headers of whole models have some hundred thousand bytes. */
  private static final long HEADER_MAX = 1 << 24;

  private static final int AXES_MAX = 8;

  /**
   * A tensor.
   *
   * @param shape outermost length first, as PyTorch has it
   * @param start bytes from the file's beginning
   */
  record Entry(String name, DType type, List<Long> shape, long start) {
    long elements() {
      return shape.stream().reduce(1L, Math::multiplyExact);
    }
  }

  private final Path file;
  private final FileChannel channel;
  private final Map<String, Entry> entries = new TreeMap<>();

  private Safetensors(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Reads the header.
   *
   * @throws ModelFormatException when it is broken, naming the tensor or the byte
   */
  static Safetensors open(Path file) throws IOException {
    Safetensors opened = new Safetensors(file, FileChannel.open(file, StandardOpenOption.READ));
    try {
      opened.header();
      return opened;
    } catch (IOException | RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  Map<String, Entry> entries() {
    return entries;
  }

  /** All values of a tensor, innermost last axis. */
  float[] values(Entry entry) throws IOException {
    long bytes = entry.elements() * entry.type().blockBytes();
    long heap = Runtime.getRuntime().maxMemory();
    if (bytes > Integer.MAX_VALUE - 16 || 4 * entry.elements() > heap) {
      throw new CapacityException(
          "%s: %s %s is too large for an adapter".formatted(file, entry.name(), entry.shape()));
    }
    float[] values = Quantization.dequantize(entry.type(), bytes(entry.start(), (int) bytes));
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw broken(entry.name() + " holds " + value);
      }
    }
    return values;
  }

  private void header() throws IOException {
    long size = channel.size();
    if (size < 8) {
      throw broken("%d bytes are too few for a safetensors file".formatted(size));
    }
    long length = ByteBuffer.wrap(bytes(0, 8)).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (length < 2 || length > size - 8 || length > HEADER_MAX) {
      throw broken(
          "the header has %s bytes by its first 8, of a file of %d; is it a safetensors file?"
              .formatted(Long.toUnsignedString(length), size));
    }
    Map<String, Object> header;
    try {
      header = JSON.std.mapFrom(bytes(8, (int) length));
    } catch (IOException | RuntimeException e) {
      throw new ModelFormatException(
          "%s: the header, bytes 8 to %d, is no JSON object".formatted(file, 8 + length), e);
    }
    for (Map.Entry<String, Object> entry : header.entrySet()) {
      if (!entry.getKey().equals("__metadata__")) {
        entries.put(entry.getKey(), entry(entry.getKey(), entry.getValue(), 8 + length, size));
      }
    }
  }

  private Entry entry(String name, Object value, long start, long size) {
    if (!(value instanceof Map<?, ?> fields)
        || !(fields.get("dtype") instanceof String type)
        || !(fields.get("shape") instanceof List<?> lengths)
        || !(fields.get("data_offsets") instanceof List<?> offsets)
        || offsets.size() != 2) {
      throw broken(name + " needs dtype, shape and data_offsets");
    }
    DType dtype =
        switch (type) {
          case "F32" -> DType.F32;
          case "F16" -> DType.F16;
          case "BF16" -> DType.BF16;
          default -> throw broken("%s is %s; F32, F16 and BF16 are read".formatted(name, type));
        };
    List<Long> shape = new ArrayList<>();
    for (Object one : lengths) {
      shape.add(number(name, one));
    }
    long begin = number(name, offsets.get(0));
    long end = number(name, offsets.get(1));
    if (shape.size() > AXES_MAX) {
      throw broken("%s has %d axes".formatted(name, shape.size()));
    }
    Entry entry = new Entry(name, dtype, List.copyOf(shape), start + begin);
    long bytes;
    try {
      bytes = Math.multiplyExact(entry.elements(), dtype.blockBytes());
    } catch (ArithmeticException e) {
      throw broken("the element count of %s, %s, overflows".formatted(name, shape));
    }
    if (begin > end || end > size - start || end - begin != bytes) {
      throw broken(
          "%s: %s %s lies at %d to %d of %d bytes, but needs %d"
              .formatted(name, type, shape, begin, end, size - start, bytes));
    }
    return entry;
  }

  private long number(String name, Object value) {
    if (value instanceof Integer || value instanceof Long) {
      long number = ((Number) value).longValue();
      if (number >= 0) {
        return number;
      }
    }
    throw broken("%s has the length or offset %s".formatted(name, value));
  }

  private byte[] bytes(long start, int count) throws IOException {
    ByteBuffer target = ByteBuffer.allocate(count);
    while (target.hasRemaining()) {
      if (channel.read(target, start + target.position()) < 0) {
        throw broken("it became shorter while it was read");
      }
    }
    return target.array();
  }

  ModelFormatException broken(String problem) {
    return new ModelFormatException("%s: %s".formatted(file, problem));
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /** A tensor to write. */
  record Part(List<Long> shape, float[] values) {}

  /** The bytes of a file with these tensors. */
  static void write(Path file, DType type, Map<String, Part> parts) throws IOException {
    Map<String, Object> header = new LinkedHashMap<>();
    header.put("__metadata__", Map.of("format", "pt"));
    long offset = 0;
    for (Map.Entry<String, Part> part : parts.entrySet()) {
      long end = offset + (long) part.getValue().values().length * type.blockBytes();
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("dtype", type.name());
      fields.put("shape", part.getValue().shape());
      fields.put("data_offsets", List.of(offset, end));
      header.put(part.getKey(), fields);
      offset = end;
    }
    StringBuilder json = new StringBuilder(JSON.std.asString(header));
    while (json.toString().getBytes(StandardCharsets.UTF_8).length % 8 != 0) {
      json.append(' ');
    }
    byte[] text = json.toString().getBytes(StandardCharsets.UTF_8);
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
      put(out, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length).flip());
      put(out, ByteBuffer.wrap(text));
      for (Part part : parts.values()) {
        int row = Math.toIntExact(part.shape().getLast());
        put(out, ByteBuffer.wrap(Quantization.quantize(type, part.values(), row)));
      }
    }
  }

  private static void put(FileChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      var _ = out.write(bytes);
    }
  }
}
