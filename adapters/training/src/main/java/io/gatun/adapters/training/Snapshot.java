package io.gatun.adapters.training;

import io.gatun.tensor.StoredTensor;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/**
 * The state of training in a file: written beside it and moved in its place, so that there is
 * always a whole one, and with a checksum, so that a damaged one is known.
 *
 * <p>Layout, big-endian: the text {@link #MAGIC}, what training it belongs to, step, epoch, batch,
 * best loss, looks without a better one; for each tensor its name, length and bytes; CRC-32 of all
 * that.
 */
final class Snapshot {
  private static final String MAGIC = "gatun training snapshot 1";

  private Snapshot() {}

  static void save(Path file, String of, Trainer.Progress progress, ParameterStore store)
      throws IOException {
    Path beside = file.resolveSibling(file.getFileName() + ".part");
    CRC32 checksum = new CRC32();
    try (DataOutputStream out =
        new DataOutputStream(
            new CheckedOutputStream(
                new BufferedOutputStream(Files.newOutputStream(beside), 1 << 20), checksum))) {
      out.writeUTF(MAGIC);
      writeText(out, of);
      out.writeLong(progress.step);
      out.writeLong(progress.epoch);
      out.writeInt(progress.batch);
      out.writeDouble(progress.bestLoss);
      out.writeInt(progress.worse);
      for (StoredTensor tensor : store.state()) {
        byte[] bytes = store.bytes(tensor);
        out.writeUTF(tensor.name());
        out.writeInt(bytes.length);
        out.write(bytes);
      }
      out.writeLong(checksum.getValue());
    } catch (IOException e) {
      Files.deleteIfExists(beside);
      throw new IOException("cannot write snapshot %s: %s".formatted(file, e.getMessage()), e);
    }
    Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Takes up a snapshot, if there is one; nothing changes when it is not of this training. */
  static void load(Path file, String of, Trainer.Progress progress, ParameterStore store)
      throws IOException {
    if (!Files.exists(file)) {
      return;
    }
    check(file);
    try (DataInputStream in = open(file, new CRC32())) {
      requireText(file, "kind of file", MAGIC, in.readUTF());
      requireText(file, "training", of, readText(in));
      progress.step = in.readLong();
      progress.epoch = in.readLong();
      progress.batch = in.readInt();
      progress.bestLoss = in.readDouble();
      progress.worse = in.readInt();
      List<StoredTensor> tensors = store.state();
      for (StoredTensor tensor : tensors) {
        requireText(file, "tensor", tensor.name(), in.readUTF());
        int length = in.readInt();
        if (length != tensor.layout().bytes()) {
          throw new IOException(
              "snapshot %s: %s has %d bytes".formatted(file, tensor.name(), length));
        }
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        store.restore(tensor, bytes);
      }
    }
  }

  /** Whether the checksum at the end is right. */
  private static void check(Path file) throws IOException {
    CRC32 checksum = new CRC32();
    long left = Files.size(file) - Long.BYTES;
    try (DataInputStream in = open(file, checksum)) {
      byte[] piece = new byte[1 << 16];
      while (left > 0) {
        int some = in.read(piece, 0, (int) Math.min(piece.length, left));
        if (some < 0) {
          throw new EOFException();
        }
        left -= some;
      }
      long expected = checksum.getValue();
      if (left < 0 || in.readLong() != expected) {
        throw new IOException("wrong checksum");
      }
    } catch (IOException e) {
      throw new IOException(
          "snapshot %s is damaged (%s); delete it to begin anew".formatted(file, e.getMessage()),
          e);
    }
  }

  private static DataInputStream open(Path file, CRC32 checksum) throws IOException {
    return new DataInputStream(
        new CheckedInputStream(
            new BufferedInputStream(Files.newInputStream(file), 1 << 20), checksum));
  }

  private static void requireText(Path file, String what, String expected, String found)
      throws IOException {
    if (!expected.equals(found)) {
      throw new IOException(
          "snapshot %s is of another %s: \"%s\", not \"%s\""
              .formatted(file, what, shortened(found), shortened(expected)));
    }
  }

  private static String shortened(String text) {
    return text.length() < 120 ? text : text.substring(0, 120) + "…";
  }

  private static void writeText(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  private static String readText(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > 1 << 24) {
      throw new IOException("a text of %d bytes".formatted(length));
    }
    return new String(in.readNBytes(length), java.nio.charset.StandardCharsets.UTF_8);
  }
}
