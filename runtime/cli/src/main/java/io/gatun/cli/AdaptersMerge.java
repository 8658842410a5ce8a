package io.gatun.cli;

import io.gatun.adapters.peft.AdapterMerge;
import io.gatun.model.MemoryPlan;
import io.gatun.model.gguf.GgufFile;
import io.gatun.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gatun adapters merge}. */
@Command(
    name = "merge",
    description = "Writes a model with LoRAs folded into its weights.",
    mixinStandardHelpOptions = true)
final class AdaptersMerge implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "MODEL", description = "A GGUF file.")
  Path model = Path.of("");

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "ADAPTER[=SCALE]",
      description = "LoRAs, as GGUF, and how strongly each counts.")
  List<String> adapters = List.of();

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "FILE",
      description = "The merged model.")
  Path output = Path.of("");

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      description = "The type of changed matrices, such as q8_0 or f16 (default: their own).")
  @Nullable DType type;

  @Override
  public Integer call() throws IOException {
    AdapterMerge merge = AdapterMerge.of(GgufFile.open(model), WeightedAdapters.read(adapters));
    Progress progress = new Progress("merging", 100);
    merge =
        merge.withListener(
            (tensor, done, all) -> progress.at(100 * done / Math.max(1, all), tensor));
    if (type != null) {
      merge = merge.withType(type);
    }
    try {
      merge.write(output);
    } finally {
      progress.end();
    }
    Console.println("%s: %s".formatted(output, MemoryPlan.show(Files.size(output))));
    return 0;
  }
}
