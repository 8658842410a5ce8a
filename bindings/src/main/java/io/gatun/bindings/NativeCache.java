package io.gatun.bindings;

import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Unpacks the libraries of a natives jar into a folder per user and per content.
 *
 * <p>The folder is named after a hash of the jar's own list of files, so another version never
 * shares it. It appears by one atomic move of a complete folder: a second process either finds it
 * whole or makes its own and loses the race harmlessly.
 */
public final class NativeCache {
  private NativeCache() {}

  /** Where caches go: {@code gatun.cache.dir}, or the operating system's place for them. */
  public static Path root() {
    String explicit = System.getProperty("gatun.cache.dir", System.getenv("GATUN_CACHE_DIR"));
    if (explicit != null && !explicit.isBlank()) {
      return Path.of(explicit);
    }
    Path home = Path.of(System.getProperty("user.home", "."));
    Map<String, String> env = System.getenv();
    String name = Platform.current().name();
    String local = env.get("LOCALAPPDATA");
    if (name.startsWith("win") && local != null) {
      return Path.of(local, "gatun", "cache");
    }
    if (name.startsWith("mac")) {
      return home.resolve("Library/Caches/gatun");
    }
    String xdg = env.get("XDG_CACHE_HOME");
    return xdg != null && !xdg.isBlank() ? Path.of(xdg, "gatun") : home.resolve(".cache/gatun");
  }

  /**
   * The folder with the libraries found under a resource folder of the class path.
   *
   * @return null when the class path has none
   * @throws IOException when they cannot be read or written
   */
  static @Nullable Path unpack(ClassLoader loader, String resourceFolder, Path cacheRoot)
      throws IOException {
    URL marker = loader.getResource(resourceFolder + "/LICENSE");
    if (marker == null) {
      return null;
    }
    if (marker.getProtocol().equals("file")) {
      return Path.of(URI.create(marker.toString())).getParent();
    }
    URI jar = URI.create(marker.toString().substring(0, marker.toString().indexOf('!')));
    try (FileSystem zip = FileSystems.newFileSystem(jar, Map.of())) {
      return unpack(zip.getPath(resourceFolder), cacheRoot);
    }
  }

  static Path unpack(Path source, Path cacheRoot) throws IOException {
    Map<String, Long> files = listing(source);
    Path target = cacheRoot.resolve("natives-" + fingerprint(source, files));
    if (intact(target, files)) {
      return target;
    }
    Files.createDirectories(cacheRoot);
    Path fresh = Files.createTempDirectory(cacheRoot, "unpacking-");
    try {
      for (String name : files.keySet()) {
        Files.copy(source.resolve(name), fresh.resolve(name));
      }
      if (Files.exists(target) && !intact(target, files)) {
        // A damaged folder is moved away whole: libraries another process has open stay valid.
        Files.move(target, cacheRoot.resolve(fresh.getFileName() + "-damaged"));
      }
      try {
        Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
      } catch (IOException lostRace) {
        if (!intact(target, files)) {
          throw lostRace;
        }
      }
      return target;
    } finally {
      deleteTree(fresh);
    }
  }

  private static Map<String, Long> listing(Path folder) throws IOException {
    Map<String, Long> files = new TreeMap<>();
    try (Stream<Path> entries = Files.list(folder)) {
      for (Path entry : entries.toList()) {
        files.put(entry.getFileName().toString(), Files.size(entry));
      }
    }
    return files;
  }

  /** Names, sizes and the small kernel library's content: enough to tell two builds apart. */
  private static String fingerprint(Path source, Map<String, Long> files) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Map.Entry<String, Long> file : files.entrySet()) {
        digest.update(
            (file.getKey() + ":" + file.getValue() + "\n").getBytes(StandardCharsets.UTF_8));
        if (file.getKey().equals(Platform.current().library("gatun"))) {
          digest.update(Files.readAllBytes(source.resolve(file.getKey())));
        }
      }
      return HexFormat.of().formatHex(digest.digest(), 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  private static boolean intact(Path folder, Map<String, Long> files) throws IOException {
    for (Map.Entry<String, Long> file : files.entrySet()) {
      Path path = folder.resolve(file.getKey());
      if (!Files.isRegularFile(path) || Files.size(path) != file.getValue()) {
        return false;
      }
    }
    return true;
  }

  private static void deleteTree(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> entries = Files.list(folder)) {
      List<Path> files = entries.toList();
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
    }
    Files.deleteIfExists(folder);
  }
}
