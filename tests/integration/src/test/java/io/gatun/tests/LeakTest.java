package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gatun.Gatun;
import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.engine.EngineOptions;
import io.gatun.model.LoadOptions;
import io.gatun.tests.kit.SharedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class LeakTest {
  private static final Path STATUS = Path.of("/proc/self/status");

  @Test
  void two_hundred_loads_generations_and_closes_leave_no_memory_behind() throws IOException {
    assumeTrue(Files.exists(STATUS), "skipped: no /proc to read the memory from");
    Path file = SharedFiles.stories();
    for (int i = 0; i < 60; i++) {
      cycle(file); // the JVM compiles and loads what it will need
    }
    long before = residentKib();
    for (int i = 0; i < 200; i++) {
      cycle(file);
    }
    long growth = residentKib() - before;
    // A leak of the KV cache alone (2.5 MiB a cycle) would be 500 MiB.
    assertThat(growth).as("KiB more after 200 cycles").isLessThan(48 * 1024);
  }

  private static void cycle(Path file) {
    EngineOptions running = EngineOptions.defaults().withThreads(1).withContextTokens(4096);
    try (LanguageModel model = Gatun.load(file, LoadOptions.defaults(), running)) {
      var _ = model.complete("Once", GenerateOptions.greedy().withMaxTokens(4));
    }
  }

  private static long residentKib() throws IOException {
    System.gc();
    return Files.readAllLines(STATUS).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }
}
