package io.gatun.engine;

import io.gatun.model.KvStore;
import io.gatun.model.KvTypes;
import io.gatun.model.ModelFormatException;
import io.gatun.model.adapter.AdapterDigest;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * A sequence's tokens, keys and values in a file.
 *
 * <p>Layout, big-endian: magic and version; what they belong to ({@link #identity}: model,
 * adapters, types), preceded by its length; number of rows; rows as I32; number of cells; first
 * position that layers with a window hold; then for each layer the keys and values of its cells in
 * runs as the engine's memory has them; SHA-256 of all that.
 *
 * @owner the engine's thread
 */
final class KvSnapshot {
  private static final long MAGIC = 0x474154554e4b5600L; // "GATUNKV\0"
  private static final int VERSION = 1;
  private static final int DIGEST_BYTES = 32;

  /** Cells that are read and written at once. */
  private static final int RUN_MAX = 256;

  private final KvStore store;
  private final CellList cells;
  private final int[] rows;
  private final byte[] identity;

  private KvSnapshot(KvStore store, CellList cells, int[] rows, byte[] identity) {
    this.store = store;
    this.cells = cells;
    this.rows = rows;
    this.identity = identity;
  }

  static KvSnapshot of(Engine engine, CellList cells, int[] rows, List<AdapterUse> adapters) {
    return new KvSnapshot(engine.memory().store(), cells, rows, identity(engine, adapters));
  }

  byte[] identity() {
    return identity;
  }

  /** Writes the file beside its place and then moves it there. */
  void write(Path file) {
    Path target = file.toAbsolutePath();
    try {
      Path beside = Files.createTempFile(target.getParent(), ".gatun-", ".part");
      try {
        writeAll(beside);
        Files.move(
            beside, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(beside);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void writeAll(Path file) throws IOException {
    MessageDigest digest = sha256();
    try (OutputStream to = new BufferedOutputStream(Files.newOutputStream(file), 1 << 20)) {
      DataOutputStream out = new DataOutputStream(new DigestOutputStream(to, digest));
      out.writeLong(MAGIC);
      out.writeInt(VERSION);
      out.writeInt(identity.length);
      out.write(identity);
      out.writeInt(rows.length);
      for (int row : rows) {
        out.writeInt(row);
      }
      out.writeInt(cells.size());
      out.writeInt(cells.held());
      for (int layer = 0; layer < store.layers(); layer++) {
        int first = store.slides(layer) ? cells.held() : 0;
        for (int at = first; at < cells.size(); ) {
          int count = run(layer, at);
          out.write(store.read(layer, cell(layer, at), count));
          at += count;
        }
      }
      out.flush();
      to.write(digest.digest());
    }
  }

  /**
   * Reads a file into cells of an empty list.
   *
   * @return the rows, of which the first ones have cells now
   * @throws ModelFormatException when the file is broken, or of another model, adapter or type
   */
  static int[] read(Path file, Engine engine, CellList cells, List<AdapterUse> adapters) {
    try {
      requireWhole(file);
      try (DataInputStream in =
          new DataInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 20))) {
        Head head = head(file, in);
        if (!Arrays.equals(head.identity(), identity(engine, adapters))) {
          throw new ModelFormatException(
              "%s: was saved with another model, other adapters or another KV cache type than this engine's"
                  .formatted(file));
        }
        int[] rows = head.rows();
        for (int i = 0; i < rows.length; i++) {
          if (rows[i] < 0 || rows[i] >= engine.model().vocabularySize()) {
            throw new ModelFormatException("%s: token %d is %d".formatted(file, i, rows[i]));
          }
        }
        new KvSnapshot(engine.memory().store(), cells, rows, head.identity())
            .readCells(file, in, engine);
        return rows;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * What a file is about.
   *
   * @param identity what keys and values depend on besides tokens
   * @param rows its tokens
   */
  record Head(byte[] identity, int[] rows) {}

  /** Reads what a file is about, without looking whether it is whole. */
  static Head head(Path file) {
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
      return head(file, in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Head head(Path file, DataInputStream in) throws IOException {
    long size = Files.size(file);
    requireVersion(file, in);
    byte[] identity = new byte[length(file, in, size, 1)];
    in.readFully(identity);
    int[] rows = new int[length(file, in, size, Integer.BYTES)];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = in.readInt();
    }
    return new Head(identity, rows);
  }

  private static void requireVersion(Path file, DataInputStream in) throws IOException {
    if (Files.size(file) < 12 + DIGEST_BYTES || in.readLong() != MAGIC) {
      throw new ModelFormatException(file + " is no saved sequence of Gatun's");
    }
    int version = in.readInt();
    if (version != VERSION) {
      throw new ModelFormatException(
          "%s: version %d of saved sequences; this Gatun reads %d"
              .formatted(file, version, VERSION));
    }
  }

  private void readCells(Path file, DataInputStream in, Engine engine) throws IOException {
    int size = in.readInt();
    int held = in.readInt();
    if (size < 0 || size > rows.length || held < 0 || held > size) {
      throw new ModelFormatException(
          "%s: %d cells, held from %d, for %d tokens".formatted(file, size, held, rows.length));
    }
    engine.memory().fill(cells, size);
    cells.forgetWindow(held);
    for (int layer = 0; layer < store.layers(); layer++) {
      for (int at = store.slides(layer) ? held : 0; at < size; ) {
        boolean wanted = !store.slides(layer) || at >= cells.held();
        int count = wanted ? run(layer, at) : Math.min(RUN_MAX, cells.held() - at);
        byte[] bytes = in.readNBytes(count * store.cellBytes(layer));
        if (bytes.length != count * store.cellBytes(layer)) {
          throw new ModelFormatException("%s: ends within layer %d".formatted(file, layer));
        }
        if (wanted) {
          store.write(layer, cell(layer, at), count, bytes);
        }
        at += count;
      }
    }
  }

  /** How many positions from one on lie in neighbouring cells. */
  private int run(int layer, int from) {
    int count = 1;
    while (from + count < cells.size()
        && count < RUN_MAX
        && cell(layer, from + count) == cell(layer, from) + count) {
      count++;
    }
    return count;
  }

  private int cell(int layer, int position) {
    return store.windowed(layer) ? cells.windowedAt(position) : cells.at(position);
  }

  /** A length that the rest of the file could hold. */
  private static int length(Path file, DataInputStream in, long size, int bytesEach)
      throws IOException {
    int length = in.readInt();
    if (length < 0 || (long) length * bytesEach > size) {
      throw new ModelFormatException("%s: a length of %d".formatted(file, length));
    }
    return length;
  }

  /** Throws unless the file ends with the digest of what is before it. */
  private static void requireWhole(Path file) throws IOException {
    long rest = Files.size(file) - DIGEST_BYTES;
    MessageDigest digest = sha256();
    try (InputStream from = new BufferedInputStream(Files.newInputStream(file), 1 << 20)) {
      DataInputStream in = new DataInputStream(new DigestInputStream(from, digest));
      requireVersion(file, in);
      byte[] buffer = new byte[1 << 16];
      for (long left = rest - 12; left > 0; ) {
        int count = (int) Math.min(left, buffer.length);
        in.readFully(buffer, 0, count);
        left -= count;
      }
      if (!Arrays.equals(digest.digest(), from.readNBytes(DIGEST_BYTES))) {
        throw new ModelFormatException(file + ": damaged: its checksum differs");
      }
    }
  }

  /** What keys and values depend on besides tokens. */
  static byte[] identity(Engine engine, List<AdapterUse> adapters) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.write(engine.fingerprint());
      KvTypes types = engine.options().kvTypes();
      out.writeUTF(types.keys().toString());
      out.writeUTF(types.values().toString());
      out.writeInt(types.outerLayers());
      // Some models turn keys otherwise when the context is long.
      out.writeBoolean(
          engine.contextTokens() > engine.model().hyperparams().rope().originalContext());
      out.writeInt(adapters.size());
      for (AdapterUse use : adapters) {
        out.write(AdapterDigest.of(use.adapter()));
        out.writeFloat(use.scale());
      }
    } catch (IOException e) {
      throw new AssertionError("memory can be written", e);
    }
    return bytes.toByteArray();
  }

  /** Gives what a task on the engine's thread could not write its own exception again. */
  static <T> T unwrapped(Supplier<T> work) throws IOException {
    try {
      return work.get();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
