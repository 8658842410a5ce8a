package io.gatun.cli;

import io.gatun.Gatun;
import io.gatun.Reranker;
import io.gatun.model.LoadOptions;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code gatun rerank}: orders documents by how well they answer a query. */
@Command(
    name = "rerank",
    description = "Prints texts with their scores for a query, the best first.",
    mixinStandardHelpOptions = true)
public final class RerankCommand implements CliCommand {
  @Mixin EmbeddingOptions options = new EmbeddingOptions();

  @Option(
      names = {"-q", "--query"},
      required = true,
      paramLabel = "TEXT",
      description = "What is asked.")
  String query = "";

  @Override
  public Integer call() throws IOException {
    List<String> texts = options.texts();
    try (Reranker model =
        Gatun.loadReranker(Models.file(options.model), LoadOptions.defaults(), options.running())) {
      for (Reranker.Ranked ranked : model.rank(query, texts)) {
        Console.println("%.4f  %s".formatted(ranked.score(), texts.get(ranked.index())));
      }
    }
    return 0;
  }
}
