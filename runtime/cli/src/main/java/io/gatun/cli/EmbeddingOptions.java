package io.gatun.cli;

import io.gatun.engine.embed.EmbedderOptions;
import io.gatun.model.Pooling;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which model reads which texts. */
final class EmbeddingOptions {
  @Parameters(index = "0", paramLabel = "MODEL", description = "A GGUF file, or one to fetch.")
  String model = "";

  @Parameters(
      index = "1..*",
      arity = "0..*",
      paramLabel = "TEXT",
      description = "Texts (default: the lines of a file or of standard input).")
  List<String> texts = List.of();

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = "A file with a text in each line.")
  @Nullable Path file;

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "CPU threads (default: as many as there are cores that nothing else uses).")
  int threads;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Tokens that are computed together (default: ${DEFAULT-VALUE}).")
  int batch = 512;

  @Option(
      names = "--truncate",
      description = "Cut texts that are longer than the model's context, instead of failing.")
  boolean truncate;

  EmbedderOptions running() {
    return EmbedderOptions.defaults()
        .withThreads(threads)
        .withBatchRows(batch)
        .withTruncate(truncate);
  }

  EmbedderOptions running(@Nullable Pooling pooling) {
    return pooling == null ? running() : running().withPooling(pooling);
  }

  /** The texts, of which there is at least one; empty lines are none. */
  List<String> texts() throws IOException {
    List<String> all = texts.isEmpty() ? lines() : texts;
    List<String> present = all.stream().filter(t -> !t.isBlank()).toList();
    if (present.isEmpty()) {
      throw new IllegalArgumentException(
          "no text: give some as arguments, with --file or on standard input");
    }
    return present;
  }

  private List<String> lines() throws IOException {
    if (file != null) {
      return Files.readAllLines(file);
    }
    try (BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      return in.lines().toList();
    }
  }
}
