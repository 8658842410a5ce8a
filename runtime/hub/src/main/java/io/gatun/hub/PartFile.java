package io.gatun.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What has arrived of a file, and beside it in {@code NAME.part.tag} what content it belongs to:
 * {@code sha256:…} or {@code etag:…}. Without such a mark nothing says that a rest would fit.
 */
final class PartFile {
  private final Path file;
  private final Path tag;
  private final String name;
  private final Optional<String> sha256;

  PartFile(Path target, Optional<String> sha256) {
    this.name = target.getFileName().toString();
    this.file = target.resolveSibling(name + ".part");
    this.tag = target.resolveSibling(name + ".part.tag");
    this.sha256 = sha256;
  }

  Path file() {
    return file;
  }

  Path folder() {
    return file.resolveSibling("");
  }

  /** The name of the file that it becomes. */
  String name() {
    return name;
  }

  long bytes() throws IOException {
    return Files.exists(file) ? Files.size(file) : 0;
  }

  /** Deletes what an earlier download left, unless it is the beginning of the same content. */
  void keepIfUsable() throws IOException {
    String mark = mark();
    boolean same = sha256.isPresent() ? mark.equals("sha256:" + sha256.get()) : etag().isPresent();
    if (!same) {
      delete();
    }
  }

  /** The server's mark of the content, to ask for the rest of just this. */
  Optional<String> etag() throws IOException {
    String mark = mark();
    return mark.startsWith("etag:") ? Optional.of(mark.substring(5)) : Optional.empty();
  }

  /** A new content begins. Weak marks may stay the same while bytes differ. */
  void begin(Optional<String> etag) throws IOException {
    delete();
    Optional<String> mark =
        sha256.isPresent()
            ? sha256.map(s -> "sha256:" + s)
            : etag.filter(e -> !e.startsWith("W/")).map(e -> "etag:" + e);
    if (mark.isPresent()) {
      Files.writeString(tag, mark.get());
    }
  }

  void delete() throws IOException {
    var _ = Files.deleteIfExists(file);
    var _ = Files.deleteIfExists(tag);
  }

  private String mark() throws IOException {
    return Files.exists(tag) ? Files.readString(tag).strip() : "";
  }
}
