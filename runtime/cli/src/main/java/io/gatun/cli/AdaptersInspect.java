package io.gatun.cli;

import io.gatun.model.MemoryPlan;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.AdapterCheck;
import io.gatun.model.adapter.AdapterFile;
import io.gatun.model.adapter.ControlVector;
import io.gatun.model.adapter.KeyValuePrefix;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.model.adapter.SoftPrompt;
import io.gatun.model.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.json.JsonMapper;

/** {@code gatun adapters inspect}. */
@Command(
    name = "inspect",
    description = "Shows what an adapter changes, and whether it fits a model.",
    mixinStandardHelpOptions = true)
final class AdaptersInspect implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "ADAPTER", description = "An adapter, as GGUF.")
  Path file = Path.of("");

  @Option(
      names = {"-m", "--model"},
      paramLabel = "MODEL",
      description = "Fail unless it fits this model.")
  @Nullable Path model;

  @Option(names = "--json", description = "As JSON.")
  boolean json;

  @Override
  public Integer call() throws IOException {
    Adapter adapter = AdapterFile.read(file);
    if (model != null) {
      AdapterCheck.require(adapter, GgufFile.open(model));
    }
    if (json) {
      Console.println(
          JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(map(adapter)));
    } else {
      print(adapter);
    }
    return 0;
  }

  private void print(Adapter adapter) {
    Console.println("adapter   " + adapter);
    String architecture = adapter.architecture();
    Console.println("for       " + (architecture.isEmpty() ? "any architecture" : architecture));
    Console.println("numbers   " + MemoryPlan.show(adapter.bytes()) + " as F32");
    if (model != null) {
      Console.println("fits      " + model);
    }
    switch (adapter) {
      case LoraAdapter lora -> {
        lora.metadata().forEach((key, value) -> Console.println("  %s = %s".formatted(key, value)));
        lora.deltas()
            .forEach((name, d) ->
                Console.println(
                    "  %-28s %-20s rank %-4d scale %.4g"
                        .formatted(name, shape(d), d.rank(), d.scale())));
      }
      case SoftPrompt soft ->
          Console.println("  %d rows of %d".formatted(soft.rows(), soft.width()));
      case KeyValuePrefix prefix ->
          Console.println(
              "  %d rows of %d keys and %d values in %d layers"
                  .formatted(
                      prefix.rows(), prefix.keyWidth(), prefix.valueWidth(), prefix.layers()));
      case ControlVector vector ->
          vector
              .directions()
              .forEach((layer, direction) ->
                  Console.println(
                      "  behind layer %-4d %d values, length %.4g"
                          .formatted(layer, direction.length, length(direction))));
    }
  }

  private static String shape(LowRank d) {
    return d.experts() == 1
        ? "[%d, %d]".formatted(d.in(), d.out())
        : "[%d, %d, %d]".formatted(d.in(), d.out(), d.experts());
  }

  private static double length(float[] direction) {
    double sum = 0;
    for (float value : direction) {
      sum += (double) value * value;
    }
    return Math.sqrt(sum);
  }

  private static Map<String, Object> map(Adapter adapter) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("name", adapter.name());
    all.put("architecture", adapter.architecture());
    all.put("bytes", adapter.bytes());
    switch (adapter) {
      case LoraAdapter lora -> {
        all.put("kind", "lora");
        all.put("metadata", lora.metadata());
        Map<String, Object> matrices = new LinkedHashMap<>();
        lora.deltas()
            .forEach((name, d) -> {
              Map<String, Object> one = new LinkedHashMap<>();
              one.put("in", d.in());
              one.put("out", d.out());
              one.put("experts", d.experts());
              one.put("rank", d.rank());
              one.put("scale", d.scale());
              matrices.put(name, one);
            });
        all.put("matrices", matrices);
      }
      case SoftPrompt soft -> {
        all.put("kind", "soft_prompt");
        all.put("rows", soft.rows());
        all.put("width", soft.width());
      }
      case KeyValuePrefix prefix -> {
        all.put("kind", "prefix");
        all.put("rows", prefix.rows());
        all.put("layers", prefix.layers());
      }
      case ControlVector vector -> {
        all.put("kind", "control_vector");
        all.put("width", vector.width());
        all.put("layers", vector.directions().keySet());
      }
    }
    return all;
  }
}
