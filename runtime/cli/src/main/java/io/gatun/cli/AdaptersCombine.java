package io.gatun.cli;

import io.gatun.adapters.peft.AdapterMath;
import io.gatun.adapters.peft.Weighted;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.AdapterFile;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.tensor.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gatun adapters combine}. */
@Command(
    name = "combine",
    description = {
      "Makes one adapter of several.",
      "linear adds LoRAs exactly, with all ranks side by side; it adds control vectors, and puts soft prompts one after another. svd adds LoRAs and keeps the strongest directions. ties lets them vote on the sign of each weight (arXiv 2306.01708), then does the same."
    },
    mixinStandardHelpOptions = true)
final class AdaptersCombine implements Callable<Integer> {
  /** How adapters become one. */
  enum Method {
    LINEAR,
    SVD,
    TIES
  }

  @Parameters(
      index = "0..*",
      arity = "1..*",
      paramLabel = "ADAPTER[=SCALE]",
      description = "Adapters of one kind, as GGUF; a scale may be negative.")
  List<String> adapters = List.of();

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "FILE",
      description = "The combined adapter, as GGUF.")
  Path output = Path.of("");

  @Option(
      names = "--method",
      paramLabel = "METHOD",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  Method method = Method.LINEAR;

  @Option(
      names = "--rank",
      paramLabel = "R",
      description = "The rank of the result, for svd and ties (default: the largest of the parts).")
  int rank;

  @Option(
      names = "--density",
      paramLabel = "PART",
      description = "For ties: how much of each adapter is kept (default: ${DEFAULT-VALUE}).")
  double density = 0.2;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      description = "f32 or f16 (default: ${DEFAULT-VALUE}).")
  DType type = DType.F32;

  @Override
  public Integer call() throws IOException {
    List<Weighted> parts = WeightedAdapters.read(adapters);
    String file = String.valueOf(output.getFileName());
    String name = file.endsWith(".gguf") ? file.substring(0, file.length() - 5) : file;
    int wanted = rank == 0 ? largestRank(parts) : rank;
    Adapter made =
        switch (method) {
          case LINEAR -> AdapterMath.linear(name, parts);
          case SVD -> AdapterMath.svd(name, parts, wanted);
          case TIES -> AdapterMath.ties(name, parts, density, wanted);
        };
    AdapterFile.write(made, type, output);
    Console.println("%s: %s".formatted(output, made));
    return 0;
  }

  private static int largestRank(List<Weighted> parts) {
    return parts.stream()
        .mapToInt(part -> part.adapter() instanceof LoraAdapter lora ? lora.rank() : 1)
        .max()
        .orElse(1);
  }
}
