package io.gatun.cli;

import io.gatun.EmbeddingModel;
import io.gatun.Gatun;
import io.gatun.model.LoadOptions;
import io.gatun.model.Pooling;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;

/** {@code gatun embed}: vectors of texts. */
@Command(
    name = "embed",
    description = {
      "Prints the vector of each text, of length 1, as a line of JSON.",
      "With --similar, prints how near the others are to the first text instead, the nearest first."
    },
    mixinStandardHelpOptions = true)
public final class EmbedCommand implements CliCommand {
  @Mixin EmbeddingOptions options = new EmbeddingOptions();

  @Option(
      names = "--pooling",
      paramLabel = "WHICH",
      description = "How rows become a vector: mean, cls or last (default: as the file says).")
  @Nullable Pooling pooling;

  @Option(names = "--similar", description = "Compare all other texts with the first.")
  boolean similar;

  @Override
  public Integer call() throws IOException {
    List<String> texts = options.texts();
    try (EmbeddingModel model =
        Gatun.loadEmbedding(
            Models.file(options.model), LoadOptions.defaults(), options.running(pooling))) {
      List<float[]> vectors = model.embed(texts);
      if (similar) {
        compare(texts, vectors);
      } else {
        print(texts, vectors);
      }
    }
    return 0;
  }

  private static void print(List<String> texts, List<float[]> vectors) {
    for (int i = 0; i < vectors.size(); i++) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("text", texts.get(i));
      line.put("embedding", vectors.get(i));
      Console.println(JsonMapper.shared().writeValueAsString(line));
    }
  }

  private static void compare(List<String> texts, List<float[]> vectors) {
    if (texts.size() < 2) {
      throw new IllegalArgumentException("--similar compares two texts or more");
    }
    record Near(double cosine, String text) {}
    List<Near> near = new java.util.ArrayList<>();
    for (int i = 1; i < texts.size(); i++) {
      near.add(
          new Near(EmbeddingModel.similarity(vectors.getFirst(), vectors.get(i)), texts.get(i)));
    }
    near.sort(java.util.Comparator.comparingDouble(Near::cosine).reversed());
    near.forEach(n -> Console.println("%.4f  %s".formatted(n.cosine(), n.text())));
  }
}
