package io.gatun.hub;

import java.util.Optional;

/**
 * A file that a repository lists.
 *
 * @param path from the repository's root
 * @param bytes its size
 * @param sha256 of its content, in hex, where the repository says it
 */
record RemoteFile(String path, long bytes, Optional<String> sha256) {
  /** The name without folders. */
  String name() {
    return path.substring(path.lastIndexOf('/') + 1);
  }
}
