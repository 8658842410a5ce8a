package io.gatun.tests.kit;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** Real models and data that lie beside the project, where they are there. */
public final class SharedFiles {
  private SharedFiles() {}

  /** A file below {@code ../shared}; skips the test, visibly, when it is absent. */
  public static Path require(String relative) {
    Path root = Path.of(System.getProperty("gatun.root", "."));
    Path file = root.resolve("../shared").resolve(relative).normalize();
    Assumptions.assumeTrue(Files.exists(file), () -> "skipped: " + file + " is not there");
    return file;
  }

  /** The small real model that most tests run on. */
  public static Path stories() {
    return require("models/stories260K/stories260K.gguf");
  }
}
