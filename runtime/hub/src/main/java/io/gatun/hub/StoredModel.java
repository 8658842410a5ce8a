package io.gatun.hub;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/**
 * A model that is on this machine.
 *
 * @param reference what was asked for when it was fetched, with the quantization that was chosen
 * @param files the parts, the first of which is what to load
 * @param bytes of all files
 * @param sha256 of the files, in their order
 * @param fetched when
 */
public record StoredModel(
    String reference, List<Path> files, long bytes, List<String> sha256, Instant fetched) {
  public StoredModel {
    files = List.copyOf(files);
    sha256 = List.copyOf(sha256);
  }

  /** The file to load; others of a split model are beside it. */
  public Path file() {
    return files.getFirst();
  }
}
