package io.gatun.bindings;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class GeneratedCodeTest {
  private static final Path BINDINGS =
      Path.of(System.getProperty("gatun.root", ".")).resolve("bindings");

  @Test
  void generated_code_is_as_it_was_generated() throws Exception {
    Path root = BINDINGS.resolve("src/generated");
    TreeMap<String, String> found = new TreeMap<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
        found.put(file.getFileName().toString(), sha256(Files.readAllBytes(file)));
      }
    }
    TreeMap<String, String> expected = new TreeMap<>();
    for (String line : Files.readAllLines(BINDINGS.resolve("include/generated.sha256"))) {
      String name = line.substring(66);
      expected.put(name.substring(name.lastIndexOf('/') + 1), line.substring(0, 64));
    }
    assertThat(found)
        .as("bindings/src/generated is written by scripts/generate-bindings only")
        .isEqualTo(expected);
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }
}
