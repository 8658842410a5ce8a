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

/**
 * The small story model that Gatun trained and ships (docs/story-model.md). It is a resource, and
 * models are mapped from files: so it is unpacked once into the cache folder.
 */
final class ShippedModel {
  private static final String RESOURCE = "stories.gguf";

  private ShippedModel() {}

  /** Its file. */
  static Path file() throws IOException {
    byte[] bytes;
    try (InputStream in = ShippedModel.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IOException("this build of gatun has no model of its own; name a GGUF file");
      }
      bytes = in.readAllBytes();
    }
    Path folder = NativeCache.root();
    Path file = folder.resolve("stories-%s.gguf".formatted(digest(bytes)));
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

  /** Another model gets another file. */
  private static String digest(byte[] bytes) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
      return HexFormat.of().formatHex(hash, 0, 6);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }
}
