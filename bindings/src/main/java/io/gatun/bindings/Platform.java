package io.gatun.bindings;

import java.util.Locale;

/**
 * The operating system and processor, in the names that the natives jars use.
 *
 * @param name for example {@code linux-x64}
 * @param libraryPrefix {@code lib}, or nothing on Windows
 * @param librarySuffix {@code .so}, {@code .dylib} or {@code .dll}
 */
record Platform(String name, String libraryPrefix, String librarySuffix) {

  static Platform current() {
    String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    String arch = archName(System.getProperty("os.arch", ""));
    if (os.contains("win")) {
      return new Platform("win-" + arch, "", ".dll");
    }
    if (os.contains("mac")) {
      return new Platform("mac-" + arch, "lib", ".dylib");
    }
    return new Platform("linux-" + arch, "lib", ".so");
  }

  private static String archName(String arch) {
    return switch (arch) {
      case "amd64", "x86_64" -> "x64";
      case "aarch64" -> "arm64";
      case "arm" -> "armv7l";
      default -> arch;
    };
  }

  /** Whether a file is libllama, whose name carries its version: {@code libllama.v0.4.0.so}. */
  boolean isLlama(String fileName) {
    return fileName.startsWith(libraryPrefix + "llama")
        && !fileName.contains("common")
        && fileName.contains(librarySuffix);
  }

  /** The file name of one of our own libraries. */
  String library(String base) {
    return libraryPrefix + base + librarySuffix;
  }
}
