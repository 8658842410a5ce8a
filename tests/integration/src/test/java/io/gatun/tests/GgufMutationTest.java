package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import io.gatun.bindings.GatunException;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.model.ModelFormatException;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.GgufValue;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.tensor.DType;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import io.gatun.tests.kit.SharedFiles;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files from strangers: 20 000 changed headers, each read or refused, none harmful. */
class GgufMutationTest {
  private static final int ROUNDS = 10_000;
  private static final long[] NASTY = {
    0,
    1,
    -1,
    0x7f,
    0x80,
    0xff,
    0xffff,
    0x7fffffffL,
    0x80000000L,
    0xffffffffL,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    Long.MAX_VALUE / 4,
    1L << 40,
    1L << 32
  };

  @TempDir Path folder;

  @Test
  void a_header_with_every_kind_of_value() throws IOException {
    Path file = folder.resolve("everything.gguf");
    GgufTest.everything().write(file);
    mutate(Files.readAllBytes(file), 1);
  }

  @Test
  void a_real_models_header() throws IOException {
    byte[] all = Files.readAllBytes(SharedFiles.stories());
    // The header and some tensor bytes; the rest is only its length, which the reader compares.
    mutate(all, 2);
  }

  /** Headers that can be read may still describe a model that cannot: loading plans must refuse. */
  @Test
  void plans_of_changed_models_are_made_or_refused() throws IOException {
    Path file =
        MadeModel.write(
            folder.resolve("m.gguf"), ModelShape.tiny("llama").withLayers(1), DType.F16, 1);
    byte[] original = Files.readAllBytes(file);
    int header = headerBytes(original);
    for (int round = 0; round < 1000; round++) {
      byte[] changed = changed(original, header, new SplittableRandom(round * 31L));
      try {
        GgufFile read = read(changed);
        var _ = Model.plan(read, LoadOptions.defaults());
      } catch (GatunException refused) {
        assertThat(refused.getMessage()).isNotBlank();
      } catch (RuntimeException e) {
        fail("seed " + round, e);
      }
    }
  }

  /** What an array takes is known from the file's size, however it is made up. */
  @Test
  void arrays_take_no_more_memory_than_in_the_file() throws IOException {
    int count = 1 << 20;
    for (int type : new int[] {0, 1, 2, 3, 4, 5, 7, 10, 11}) {
      requireTaken("type " + type, new GgufValue.Ints(type, new long[count]), 1.1);
    }
    requireTaken("f32", new GgufValue.Floats(6, new double[count]), 1.1);
    requireTaken("f64", new GgufValue.Floats(12, new double[count]), 1.1);
    requireTaken("empty strings", new GgufValue.Texts(Collections.nCopies(count, "")), 1.1);
    requireTaken("letters", new GgufValue.Texts(Collections.nCopies(count, "ü")), 2);
    requireTaken("words", new GgufValue.Texts(Collections.nCopies(count / 4, "x".repeat(99))), 5);
    requireTaken("one text", new GgufValue.Text("x".repeat(count) + "模"), 6);
  }

  /** What an entry costs in Java, there may only be so many of. */
  @Test
  void more_keys_and_arrays_of_arrays_than_any_model_has_are_refused() throws IOException {
    GgufWriter keys = new GgufWriter();
    for (int i = 0; i < 70_000; i++) {
      var _ = keys.put("k" + i, true);
    }
    GgufValue empty = new GgufValue.Ints(0, new long[0]);
    GgufWriter nested = new GgufWriter();
    for (int i = 0; i < 7; i++) {
      var _ = nested.put("k" + i, new GgufValue.Nested(Collections.nCopies(10_000, empty)));
    }
    for (GgufWriter writer : List.of(keys, nested)) {
      assertThatThrownBy(() -> read(writer.header()))
          .isInstanceOf(ModelFormatException.class)
          .hasMessageContaining("expected at most 65536");
    }
  }

  private static void requireTaken(String what, GgufValue value, double factor) throws IOException {
    byte[] file = new GgufWriter().put("k", value).header();
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    var _ = read(file);
    long taken = threads.getCurrentThreadAllocatedBytes() - before;
    assertThat(taken)
        .as("bytes taken by %s in a file of %d", what, file.length)
        .isLessThan((long) (factor * file.length) + (1 << 18));
  }

  private static void mutate(byte[] original, long seed) throws IOException {
    int header = headerBytes(original);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long limit = 3L * original.length + (1 << 20);
    for (int round = 0; round < ROUNDS; round++) {
      byte[] changed = changed(original, header, new SplittableRandom(seed * 1_000_003 + round));
      long before = threads.getCurrentThreadAllocatedBytes();
      try {
        var _ = read(changed);
      } catch (GatunException refused) {
        assertThat(refused.getMessage()).contains("x.gguf");
      } catch (RuntimeException e) {
        fail("seed %d, round %d".formatted(seed, round), e);
      }
      long taken = threads.getCurrentThreadAllocatedBytes() - before;
      assertThat(taken).as("bytes taken in round %d", round).isLessThan(limit);
    }
  }

  private static byte[] changed(byte[] original, int header, SplittableRandom random) {
    byte[] bytes = original.clone();
    int edits = 1 + random.nextInt(4);
    for (int e = 0; e < edits; e++) {
      int at = random.nextInt(Math.min(header, bytes.length));
      switch (random.nextInt(5)) {
        case 0 -> bytes[at] = (byte) random.nextInt();
        case 1 -> put(bytes, at, 4, NASTY[random.nextInt(NASTY.length)]);
        case 2 -> put(bytes, at, 8, NASTY[random.nextInt(NASTY.length)]);
        case 3 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        default -> bytes = Arrays.copyOf(bytes, 1 + random.nextInt(bytes.length));
      }
    }
    return bytes;
  }

  private static void put(byte[] bytes, int at, int count, long value) {
    for (int i = 0; i < count && at + i < bytes.length; i++) {
      bytes[at + i] = (byte) (value >>> (8 * i));
    }
  }

  private static int headerBytes(byte[] file) throws IOException {
    return read(file).tensors().stream().mapToInt(t -> (int) t.offset()).min().orElse(file.length);
  }

  private static GgufFile read(byte[] bytes) throws IOException {
    return GgufFile.read("x.gguf", new Bytes(bytes));
  }

  /** An array as a channel. */
  private static final class Bytes implements SeekableByteChannel {
    private final ByteBuffer bytes;

    Bytes(byte[] bytes) {
      this.bytes = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public int read(ByteBuffer target) {
      if (!bytes.hasRemaining()) {
        return -1;
      }
      int count = Math.min(target.remaining(), bytes.remaining());
      target.put(bytes.slice(bytes.position(), count));
      bytes.position(bytes.position() + count);
      return count;
    }

    @Override
    public int write(ByteBuffer source) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long position() {
      return bytes.position();
    }

    @Override
    public SeekableByteChannel position(long position) {
      bytes.position((int) position);
      return this;
    }

    @Override
    public long size() {
      return bytes.capacity();
    }

    @Override
    public SeekableByteChannel truncate(long size) {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }
}
