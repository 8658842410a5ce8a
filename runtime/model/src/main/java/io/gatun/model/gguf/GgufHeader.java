package io.gatun.model.gguf;

import io.gatun.model.ModelFormatException;
import io.gatun.model.UnsupportedModelException;
import io.gatun.tensor.DType;
import io.gatun.tensor.Shape;
import io.gatun.tensor.ShapeException;
import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One GGUF file's header: metadata and tensor table. Reading trusts nothing: whatever a file claims
 * is compared with the bytes that it has before memory is set aside for it, and what takes more
 * memory than in the file is limited in number.
 *
 * @source the GGUF specification in the ggml repository (docs/gguf.md), versions 2 and 3
 */
record GgufHeader(GgufMetadata metadata, List<TensorInfo> tensors, long alignment) {
  private static final int MAGIC = 0x46554747; // "GGUF"
  private static final int DEPTH_MAX = 4;

  /** Real files have some hundred keys, and some ten thousand tensors at most. */
  private static final int KEYS_MAX = 1 << 16;

  private static final int TENSORS_MAX = 1 << 18;

  /** The specification's limit. */
  private static final int KEY_BYTES_MAX = 0xffff;

  /** Chat templates, the longest strings, have some ten thousand. */
  private static final int TEXT_BYTES_MAX = 1 << 24;

  /** GGML keeps names in 64 bytes with a final zero. */
  private static final int NAME_BYTES_MAX = 63;

  static GgufHeader read(String file, SeekableByteChannel channel, int part) throws IOException {
    return new Reader(file, new ByteCursor(file, channel), part).read();
  }

  private static final class Reader {
    private final String file;
    private final ByteCursor in;
    private final int part;

    /** Version 1 had 32-bit counts; all that are read here have 64. */
    private final boolean wide = true;

    /** Arrays inside arrays, over all keys. */
    private int nestedCount;

    Reader(String file, ByteCursor in, int part) {
      this.file = file;
      this.in = in;
      this.part = part;
    }

    GgufHeader read() throws IOException {
      version();
      // A tensor entry has at least a name length, a rank, a type and an offset; a key-value pair a
      // key length, a type and a value.
      int tensorCount = limited(in.count(wide, wide ? 24 : 20, "tensor count"), TENSORS_MAX);
      int pairCount = limited(in.count(wide, wide ? 13 : 9, "metadata count"), KEYS_MAX);
      GgufMetadata metadata = metadata(pairCount);
      long alignment = alignment(metadata);
      List<TensorInfo> relative = tensors(tensorCount);
      long start = Math.ceilDiv(in.position(), alignment) * alignment;
      return new GgufHeader(metadata, placed(relative, start, alignment), alignment);
    }

    private int limited(int count, int most) {
      if (count > most) {
        throw in.broken("a count of %d, expected at most %d".formatted(count, most));
      }
      return count;
    }

    private void version() throws IOException {
      if (in.size() < 24) {
        throw new ModelFormatException(
            "%s: %d bytes are too few for a GGUF file".formatted(file, in.size()));
      }
      int magic = in.i32("magic");
      if (magic != MAGIC) {
        throw new ModelFormatException(
            "%s is not a GGUF file: it begins with %08x%s"
                .formatted(file, Integer.reverseBytes(magic), hint(magic)));
      }
      int version = in.i32("version");
      if (version == 1 || (Integer.reverseBytes(version) <= 3 && version > 0xffff)) {
        throw new UnsupportedModelException(
            "%s is a GGUF file of %s; versions 2 and 3, little-endian, are supported. Convert it again with llama.cpp's current converter"
                .formatted(file, version == 1 ? "version 1" : "big-endian byte order"));
      }
      if (version != 2 && version != 3) {
        throw in.broken("GGUF version " + Integer.toUnsignedString(version) + " is not known");
      }
    }

    private static String hint(int magic) {
      return switch (magic) {
        case 0x67676d6c, 0x67676d66, 0x67676a74 ->
            ", a GGML file older than GGUF; convert it again";
        case 0x04034b50 -> ", a zip or PyTorch file; convert it to GGUF first";
        case 0x4c4d4747 -> ", a llama.cpp LoRA of the old format";
        default ->
            (magic >>> 24) == 0 || (magic & 0xff) == '{'
                ? ", which may be a safetensors or JSON file; convert it to GGUF first"
                : "";
      };
    }

    private GgufMetadata metadata(long count) throws IOException {
      Map<String, GgufValue> values = new LinkedHashMap<>();
      for (long i = 0; i < count; i++) {
        String key = in.text(wide, KEY_BYTES_MAX, "a metadata key");
        if (key.isEmpty()) {
          throw in.broken("metadata key %d is empty".formatted(i));
        }
        int type = in.i32("type of " + key);
        if (values.put(key, value(type, key, 0)) != null) {
          throw in.broken("the key %s appears twice".formatted(key));
        }
      }
      return new GgufMetadata(file, values);
    }

    private GgufValue value(int type, String key, int depth) throws IOException {
      return switch (type) {
        case 0, 1, 2, 3, 4, 5, 10, 11 -> new GgufValue.Int(type, integer(type, key));
        case 6, 12 -> new GgufValue.Float(type, real(type, key));
        case 7 -> new GgufValue.Bool(bool(key));
        case 8 -> new GgufValue.Text(in.text(wide, TEXT_BYTES_MAX, key));
        case 9 -> array(key, depth);
        default -> throw in.broken("the key %s has the unknown type %d".formatted(key, type));
      };
    }

    private GgufValue array(String key, int depth) throws IOException {
      if (depth == DEPTH_MAX) {
        throw in.broken("the key %s nests arrays deeper than %d".formatted(key, DEPTH_MAX));
      }
      int type = in.i32("element type of " + key);
      int each = elementBytesMin(type, key);
      int count = in.count(wide, each, "length of " + key);
      return switch (type) {
        case 6, 12 -> new GgufValue.Floats(type, numbers(type, count, key));
        case 8 -> new GgufValue.Texts(texts(count, key));
        case 9 -> nested(count, key, depth);
        default -> new GgufValue.Ints(type, numbers(type, count, key));
      };
    }

    private PackedNumbers numbers(int type, int count, String key) throws IOException {
      if (count > Integer.MAX_VALUE / 8) {
        throw in.broken("%s has %d elements, too many".formatted(key, count));
      }
      byte[] bytes = in.bytes(PackedNumbers.width(type) * count, key);
      if (type == 7) {
        for (byte value : bytes) {
          requireBool(value & 0xff, key);
        }
      }
      return new PackedNumbers(type, bytes);
    }

    private List<String> texts(int count, String key) throws IOException {
      int[] starts = new int[count + 1];
      // Tokens have 6 to 8 bytes on average.
      long guess = Math.min(in.remaining() - 8L * count, 8L * count);
      byte[] bytes = new byte[(int) Math.min(guess, Integer.MAX_VALUE - 16)];
      String what = "length of " + key;
      for (int i = 0; i < count; i++) {
        int length = in.count(wide, 1, what);
        long end = (long) starts[i] + length;
        if (end > Integer.MAX_VALUE - 16) {
          throw in.broken(key + " has more than 2 GiB of text");
        }
        if (end > bytes.length) {
          // No more than is left in the file can follow.
          long wanted = Math.min(end + end / 2, end + in.remaining() - length);
          bytes = Arrays.copyOf(bytes, (int) Math.min(wanted, Integer.MAX_VALUE - 16));
        }
        in.read(bytes, starts[i], length, key);
        starts[i + 1] = (int) end;
      }
      return new PackedTexts(
          bytes.length == starts[count] ? bytes : Arrays.copyOf(bytes, starts[count]), starts);
    }

    private GgufValue nested(int count, String key, int depth) throws IOException {
      nestedCount = limited(nestedCount + limited(count, KEYS_MAX), KEYS_MAX);
      List<GgufValue> values = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        values.add(array(key, depth + 1));
      }
      return new GgufValue.Nested(values);
    }

    private int elementBytesMin(int type, String key) {
      return switch (type) {
        case 0, 1, 7 -> 1;
        case 2, 3 -> 2;
        case 4, 5, 6 -> 4;
        case 8, 10, 11, 12 -> 8;
        case 9 -> 12;
        default -> throw in.broken("%s is an array of the unknown type %d".formatted(key, type));
      };
    }

    private long integer(int type, String key) throws IOException {
      return switch (type) {
        case 0 -> in.u8(key);
        case 1 -> (byte) in.u8(key);
        case 2 -> in.i16(key) & 0xffff;
        case 3 -> in.i16(key);
        case 4 -> in.i32(key) & 0xffffffffL;
        case 5 -> in.i32(key);
        default -> in.i64(key);
      };
    }

    private double real(int type, String key) throws IOException {
      return type == 6 ? Float.intBitsToFloat(in.i32(key)) : Double.longBitsToDouble(in.i64(key));
    }

    private boolean bool(String key) throws IOException {
      return requireBool(in.u8(key), key);
    }

    private boolean requireBool(int value, String key) {
      if (value > 1) {
        throw in.broken("the boolean %s is %d".formatted(key, value));
      }
      return value == 1;
    }

    private long alignment(GgufMetadata metadata) {
      long alignment = metadata.integer("general.alignment").orElse(32L);
      if (alignment < 1 || alignment > 1 << 20 || Long.bitCount(alignment) != 1) {
        throw new ModelFormatException(
            "%s: general.alignment is %d, expected a power of two".formatted(file, alignment));
      }
      return alignment;
    }

    private List<TensorInfo> tensors(long count) throws IOException {
      List<TensorInfo> tensors = new ArrayList<>((int) Math.min(count, 1 << 16));
      Set<String> names = new HashSet<>();
      for (long i = 0; i < count; i++) {
        TensorInfo tensor = tensor();
        if (!names.add(tensor.name())) {
          throw in.broken("the tensor %s appears twice".formatted(tensor.name()));
        }
        tensors.add(tensor);
      }
      return tensors;
    }

    private TensorInfo tensor() throws IOException {
      String name = in.text(wide, KEY_BYTES_MAX, "a tensor name");
      if (name.isEmpty() || name.length() > NAME_BYTES_MAX) {
        throw in.broken(
            "a tensor name has %d characters, expected 1 to %d"
                .formatted(name.length(), NAME_BYTES_MAX));
      }
      int rank = in.i32("rank of " + name);
      if (rank < 1 || rank > 4) {
        throw in.broken("%s has %d axes, expected 1 to 4".formatted(name, rank));
      }
      long[] lengths = new long[rank];
      for (int axis = 0; axis < rank; axis++) {
        lengths[axis] = in.i64("lengths of " + name);
      }
      int typeId = in.i32("type of " + name);
      long offset = in.i64("offset of " + name);
      DType type =
          DType.ofId(typeId)
              .orElseThrow(() ->
                  new UnsupportedModelException(
                      "%s: the tensor %s has the type %d, which ggml 0.23 does not know"
                          .formatted(file, name, typeId)));
      try {
        Shape shape = Shape.of(lengths);
        long _ = Math.multiplyExact(type.rowBytes(shape.d0()), shape.rows());
        return new TensorInfo(name, type, shape, part, offset);
      } catch (ShapeException | IllegalArgumentException | ArithmeticException e) {
        throw in.broken("the tensor %s: %s".formatted(name, e.getMessage()));
      }
    }

    /** Checks where the bytes lie, and makes the offsets count from the beginning of the file. */
    private List<TensorInfo> placed(List<TensorInfo> relative, long start, long alignment) {
      List<TensorInfo> placed = new ArrayList<>(relative.size());
      for (TensorInfo t : relative) {
        long available = in.size() - start;
        if (t.offset() < 0 || t.offset() % alignment != 0) {
          throw new ModelFormatException(
              "%s: the tensor %s begins at %d, which is no multiple of %d"
                  .formatted(file, t.name(), t.offset(), alignment));
        }
        if (t.offset() > available || t.bytes() > available - t.offset()) {
          throw new ModelFormatException(
              "%s: the tensor %s (%s %s, %d bytes at %d) ends behind the file's %d bytes; was the download cut off?"
                  .formatted(
                      file,
                      t.name(),
                      t.type(),
                      t.shape(),
                      t.bytes(),
                      start + t.offset(),
                      in.size()));
        }
        placed.add(new TensorInfo(t.name(), t.type(), t.shape(), part, start + t.offset()));
      }
      return placed;
    }
  }
}
