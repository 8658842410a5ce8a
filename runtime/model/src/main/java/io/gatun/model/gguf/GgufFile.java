package io.gatun.model.gguf;

import io.gatun.model.ModelFormatException;
import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A GGUF model file, or all parts of a split one: what its headers say, checked. Holds no open
 * file. A value; thread-safe.
 */
public final class GgufFile {
  private static final Pattern SPLIT = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");

  /** How deep, and among how many files, models are looked for in a folder; how many are named. */
  private static final int DEPTH_MAX = 3;

  private static final int SEEN_MAX = 10_000;
  private static final int NAMED_MAX = 10;

  private final List<Path> parts;
  private final GgufMetadata metadata;
  private final Map<String, TensorInfo> tensors;

  private GgufFile(List<Path> parts, GgufMetadata metadata, Map<String, TensorInfo> tensors) {
    this.parts = parts;
    this.metadata = metadata;
    this.tensors = tensors;
  }

  /**
   * Reads the headers. Given any part of a split model, finds the others beside it.
   *
   * @throws ModelFormatException when the file is broken, naming the place
   * @throws io.gatun.model.UnsupportedModelException when it is a GGUF file of a kind that cannot
   *     be read
   * @throws IOException when it cannot be read at all
   */
  public static GgufFile open(Path path) throws IOException {
    if (path.toString().isEmpty()) {
      throw new ModelFormatException("the file's name is empty; name a .gguf file");
    }
    if (Files.isDirectory(path)) {
      throw new ModelFormatException(
          "%s is a folder; name a .gguf file%s".formatted(path, filesIn(path)));
    }
    List<Path> parts = parts(path);
    Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    GgufMetadata first = new GgufMetadata(path.toString(), Map.of());
    for (int part = 0; part < parts.size(); part++) {
      GgufHeader header = header(parts.get(part), part);
      if (part == 0) {
        first = header.metadata();
      }
      checkSplit(header.metadata(), part, parts.size());
      for (TensorInfo tensor : header.tensors()) {
        if (tensors.put(tensor.name(), tensor) != null) {
          throw new ModelFormatException(
              "%s: the tensor %s is also in an earlier part"
                  .formatted(parts.get(part), tensor.name()));
        }
      }
    }
    long expected = first.integer("split.tensors.count").orElse((long) tensors.size());
    if (expected != tensors.size()) {
      throw new ModelFormatException(
          "%s: %d tensors in all parts, expected %d".formatted(path, tensors.size(), expected));
    }
    return new GgufFile(List.copyOf(parts), first, tensors);
  }

  /** Reads one header from a channel, for files that are not on a disk. */
  public static GgufFile read(String name, SeekableByteChannel channel) throws IOException {
    GgufHeader header = GgufHeader.read(name, channel, 0);
    Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    header.tensors().forEach(t -> tensors.put(t.name(), t));
    return new GgufFile(List.of(Path.of(name)), header.metadata(), tensors);
  }

  /** The files, in order. */
  public List<Path> parts() {
    return parts;
  }

  /** The first part's metadata, which describes the whole model. */
  public GgufMetadata metadata() {
    return metadata;
  }

  public List<TensorInfo> tensors() {
    return List.copyOf(tensors.values());
  }

  public Optional<TensorInfo> tensor(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  private static GgufHeader header(Path path, int part) throws IOException {
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      // A pipe would be waited for, and none can be mapped.
      throw new ModelFormatException("%s is not a file on a disk".formatted(path));
    }
    try (SeekableByteChannel channel = Files.newByteChannel(path)) {
      return GgufHeader.read(path.toString(), channel, part);
    } catch (NoSuchFileException e) {
      Path meant = path.resolveSibling(path.getFileName() + ".gguf");
      throw new ModelFormatException(
          "%s does not exist%s"
              .formatted(path, Files.exists(meant) ? "; is %s meant?".formatted(meant) : ""),
          e);
    }
  }

  private static List<Path> parts(Path path) {
    Path fileName = path.getFileName();
    Matcher split = SPLIT.matcher(fileName == null ? "" : fileName.toString());
    if (!split.matches()) {
      return List.of(path);
    }
    int count = Integer.parseInt(split.group(3));
    List<Path> parts = new ArrayList<>();
    for (int part = 1; part <= count; part++) {
      Path sibling =
          path.resolveSibling("%s-%05d-of-%05d.gguf".formatted(split.group(1), part, count));
      if (!Files.exists(sibling)) {
        throw new ModelFormatException(
            "%s is part of a split model but %s is not beside it"
                .formatted(path, sibling.getFileName()));
      }
      parts.add(sibling);
    }
    return parts;
  }

  private static void checkSplit(GgufMetadata metadata, int part, int count) {
    long number = metadata.integer("split.no").orElse((long) part);
    long total = metadata.integer("split.count").orElse((long) count);
    if (number != part || (total != count && total != 0)) {
      throw new ModelFormatException(
          "%s says it is part %d of %d, expected %d of %d"
              .formatted(metadata.file(), number + 1, total, part + 1, count));
    }
  }

  /** Models often lie one or two folders deeper than one thinks: by author, by name. */
  private static String filesIn(Path folder) throws IOException {
    List<String> names = new ArrayList<>();
    int[] seen = {0};
    var _ =
        Files.walkFileTree(
            folder,
            Set.of(FileVisitOption.FOLLOW_LINKS),
            DEPTH_MAX,
            new SimpleFileVisitor<>() {
              @Override
              public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (attributes.isRegularFile() && file.toString().endsWith(".gguf")) {
                  names.add(folder.relativize(file).toString());
                }
                return ++seen[0] < SEEN_MAX ? FileVisitResult.CONTINUE : FileVisitResult.TERMINATE;
              }

              @Override
              public FileVisitResult visitFileFailed(Path file, IOException unreadable) {
                return FileVisitResult.CONTINUE;
              }
            });
    List<String> some = names.stream().sorted().limit(NAMED_MAX).toList();
    return some.isEmpty() ? "; there is none in it" : ", for example " + some;
  }
}
