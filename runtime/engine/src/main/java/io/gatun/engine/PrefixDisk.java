package io.gatun.engine;

import io.gatun.model.ModelFormatException;
import io.gatun.tensor.CapacityException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The second tier of a prefix cache: a folder of saved sequences. Files of other models and
 * adapters may lie there too; broken ones are passed over.
 *
 * @owner the engine's thread
 */
final class PrefixDisk {
  private static final System.Logger LOG = System.getLogger("io.gatun.engine");

  /** Fewer tokens than this are computed sooner than read. */
  private static final int GAIN_MIN = 64;

  private static final String SUFFIX = ".kv";

  private final Engine engine;
  private final Path folder;
  private final long bytesMax;

  /** Files in the order of their last use. */
  private final Map<Path, Entry> entries = new LinkedHashMap<>();

  private boolean listed;

  private record Entry(ByteBuffer identity, int[] rows, long bytes) {}

  PrefixDisk(Engine engine, Path folder, long bytesMax) {
    this.engine = engine;
    this.folder = folder;
    this.bytesMax = bytesMax;
  }

  /** Writes a prefix; a failure costs only the prefix. */
  void write(List<AdapterUse> adapters, int[] rows, CellList cells) {
    list();
    if (rows.length < GAIN_MIN || covered(adapters, rows)) {
      return;
    }
    try {
      Files.createDirectories(folder);
      KvSnapshot snapshot = KvSnapshot.of(engine, cells, rows, adapters);
      Path file = folder.resolve(name(snapshot.identity(), rows));
      snapshot.write(file);
      entries.put(file, new Entry(ByteBuffer.wrap(snapshot.identity()), rows, Files.size(file)));
      shrink();
    } catch (IOException | UncheckedIOException e) {
      LOG.log(Level.WARNING, "a prefix could not be written to " + folder + ": " + e.getMessage());
    }
  }

  /**
   * Reads the longest prefix of rows into an empty list, when that is longer than what is in
   * memory.
   *
   * @param known how many rows are in memory
   * @param limit how many rows may be read
   */
  boolean read(List<AdapterUse> adapters, int[] rows, int known, CellList cells, int limit) {
    list();
    Path file = best(adapters, rows, known + GAIN_MIN);
    if (file == null) {
      return false;
    }
    try {
      int[] saved = KvSnapshot.read(file, engine, cells, adapters);
      int common = Arrays.mismatch(saved, rows);
      cells.truncate(Math.min(limit, common < 0 ? saved.length : common));
      if (cells.size() <= known) {
        cells.truncate(0);
      }
      return cells.size() > 0;
    } catch (ModelFormatException | CapacityException | UncheckedIOException e) {
      LOG.log(Level.WARNING, "a saved prefix could not be used: " + e.getMessage());
      cells.truncate(0);
      entries.remove(file);
      return false;
    }
  }

  /**
   * Whether a file gives these rows too. A longer one does not when layers with a window forget
   * what came before its end.
   */
  private boolean covered(List<AdapterUse> adapters, int[] rows) {
    Path file = best(adapters, rows, rows.length);
    return file != null
        && (engine.memory().tables().windowed().isEmpty() || length(file) == rows.length);
  }

  /** The file that agrees with most rows, at least so many. */
  private @Nullable Path best(List<AdapterUse> adapters, int[] rows, int least) {
    ByteBuffer identity = ByteBuffer.wrap(KvSnapshot.identity(engine, adapters));
    Path best = null;
    int most = least - 1;
    for (Map.Entry<Path, Entry> e : entries.entrySet()) {
      int[] saved = e.getValue().rows();
      int at = Arrays.mismatch(saved, rows);
      int common = at < 0 ? Math.min(saved.length, rows.length) : at;
      boolean closer = best != null && common == most && saved.length < length(best);
      if ((common > most || closer) && e.getValue().identity().equals(identity)) {
        best = e.getKey();
        most = common;
      }
    }
    if (best != null) {
      Entry used = Objects.requireNonNull(entries.remove(best));
      entries.put(best, used); // last in order now
    }
    return best;
  }

  private int length(Path file) {
    return Objects.requireNonNull(entries.get(file)).rows().length;
  }

  private void shrink() throws IOException {
    long bytes = entries.values().stream().mapToLong(Entry::bytes).sum();
    for (Iterator<Map.Entry<Path, Entry>> oldest = entries.entrySet().iterator();
        bytes > bytesMax && oldest.hasNext(); ) {
      Map.Entry<Path, Entry> entry = oldest.next();
      Files.deleteIfExists(entry.getKey());
      bytes -= entry.getValue().bytes();
      oldest.remove();
    }
  }

  /** Looks at what earlier engines have left. */
  private void list() {
    if (listed) {
      return;
    }
    listed = true;
    if (!Files.isDirectory(folder)) {
      return;
    }
    List<Path> files = new ArrayList<>();
    try (Stream<Path> all = Files.list(folder)) {
      all.filter(f -> f.toString().endsWith(SUFFIX)).sorted().forEach(files::add);
    } catch (IOException e) {
      LOG.log(Level.WARNING, "cannot list " + folder + ": " + e.getMessage());
    }
    for (Path file : files) {
      try {
        KvSnapshot.Head head = KvSnapshot.head(file);
        entries.put(
            file, new Entry(ByteBuffer.wrap(head.identity()), head.rows(), Files.size(file)));
      } catch (ModelFormatException | UncheckedIOException | IOException e) {
        LOG.log(Level.DEBUG, "passed over: " + e.getMessage());
      }
    }
  }

  private static String name(byte[] identity, int[] rows) {
    ByteBuffer bytes = ByteBuffer.allocate(identity.length + 4 * rows.length).put(identity);
    bytes.asIntBuffer().put(rows);
    return HexFormat.of().formatHex(KvSnapshot.sha256().digest(bytes.array()), 0, 16) + SUFFIX;
  }
}
