package io.gatun.cli;

import io.gatun.bindings.NativeCache;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;

/**
 * The small story model that Gatun trained and ships, and its adapters (docs/story-model.md). They
 * are resources, and models are mapped from files: so they are unpacked once into the cache folder.
 */
final class ShippedModel {
  private static final Set<String> ADAPTERS = Set.of("pirate", "rhyme");

  private ShippedModel() {}

  /** Its file. */
  static Path file() throws IOException {
    return unpacked("stories.gguf");
  }

  /** The file of one of its adapters, by the adapter's name. */
  static Optional<Path> adapter(String name) throws IOException {
    return ADAPTERS.contains(name) ? Optional.of(unpacked(name + ".gguf")) : Optional.empty();
  }

  /**
   * Files keep their names, as those are the names of adapters; the folder tells versions apart.
   */
  private static Path unpacked(String resource) throws IOException {
    byte[] bytes;
    try (InputStream in = ShippedModel.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IOException("this build of gatun has no %s of its own".formatted(resource));
      }
      bytes = in.readAllBytes();
    }
    Path folder = NativeCache.root().resolve("stories-" + digest(bytes));
    Path file = folder.resolve(resource);
    if (Files.exists(file) && Files.size(file) == bytes.length) {
      return file;
    }
    Files.createDirectories(folder);
    Path beside = Files.createTempFile(folder, "stories-", ".part");
    try {
      Files.write(beside, bytes);
      Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      var _ = Files.deleteIfExists(beside);
    }
    return file;
  }

  private static String digest(byte[] bytes) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
      return HexFormat.of().formatHex(hash, 0, 6);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }
}
