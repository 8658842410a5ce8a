package io.gatun.cli;

import io.gatun.LanguageModel;
import io.gatun.engine.Perplexity;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code gatun perplexity}: how well a model predicts a text. */
@Command(
    name = "perplexity",
    description = "Measures how well a model predicts a text, in the way of llama-perplexity.",
    mixinStandardHelpOptions = true)
public final class PerplexityCommand implements CliCommand {
  @Mixin ModelOptions model = new ModelOptions();

  @Option(
      names = {"-f", "--file"},
      required = true,
      paramLabel = "FILE",
      description = "The text, in UTF-8.")
  Path file = Path.of("");

  @Option(
      names = "--chunk",
      paramLabel = "N",
      description = "Tokens per chunk (default: ${DEFAULT-VALUE}).")
  int chunk = 512;

  @Option(names = "--chunks", paramLabel = "N", description = "Only so many chunks.")
  int chunks = Integer.MAX_VALUE;

  @Override
  public Integer call() throws IOException {
    if (chunk < 4 || chunks < 1) {
      throw new IllegalArgumentException(
          chunk < 4
              ? "--chunk must be at least 4, got " + chunk
              : "--chunks must be at least 1, got " + chunks);
    }
    String text = Texts.of(file);
    if (model.options.context == 0) {
      model.options.context = chunk;
    }
    try (LanguageModel loaded = model.load()) {
      int[] tokens = loaded.model().vocabulary().encode(text, true, false);
      int count = Math.min(chunks, tokens.length / chunk);
      int[] used = java.util.Arrays.copyOf(tokens, count * chunk);
      Progress progress = new Progress("perplexity", count);
      int[] done = {0};
      Perplexity result =
          Perplexity.of(
              loaded.engine(),
              count == 0 ? tokens : used,
              chunk,
              running -> progress.at(++done[0], "%.4f".formatted(running.value())));
      progress.end();
      Console.println(
          "perplexity %.4f ± %.4f (%d tokens rated, %d chunks of %d)"
              .formatted(result.value(), result.error(), result.ratedTokens(), count, chunk));
    }
    return 0;
  }
}
