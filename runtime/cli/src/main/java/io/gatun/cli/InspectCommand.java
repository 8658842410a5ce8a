package io.gatun.cli;

import io.gatun.engine.EngineOptions;
import io.gatun.model.GraphChoice;
import io.gatun.model.GraphSource;
import io.gatun.model.MemoryPlan;
import io.gatun.model.Model;
import io.gatun.model.ModelFormatException;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.Vocabulary;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.GgufValue;
import io.gatun.model.gguf.PackedNumbers;
import io.gatun.model.gguf.TensorInfo;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;

/** {@code gatun inspect}: what is in a file and what loading it would take. */
@Command(
    name = "inspect",
    description = "Shows a file's metadata, tensors, sizes and memory plan, without loading it.",
    mixinStandardHelpOptions = true)
public final class InspectCommand implements CliCommand {
  private static final int SHOWN_MAX = 100;

  @Mixin ModelOptions model = new ModelOptions();

  @Option(names = "--json", description = "As JSON, with everything but long arrays.")
  boolean json;

  @Option(names = "--tensors", description = "List every tensor.")
  boolean tensors;

  @Override
  public Integer call() throws IOException {
    GgufFile file = GgufFile.open(model.file());
    if (json) {
      Console.println(
          JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(asMap(file)));
    } else {
      print(file);
    }
    return 0;
  }

  private void print(GgufFile file) {
    file.parts().forEach(part -> Console.println("file      " + part));
    Console.println(
        "weights   %,d in %d tensors, %s, %.2f bits each"
            .formatted(
                elements(file),
                file.tensors().size(),
                MemoryPlan.show(bytes(file)),
                elements(file) == 0 ? 0.0 : 8.0 * bytes(file) / elements(file)));
    types(file)
        .forEach(
            (type, size) -> Console.println("  %-8s %s".formatted(type, MemoryPlan.show(size))));
    plan(file).forEach(Console::println);
    Console.println("metadata");
    file.metadata()
        .values()
        .forEach((key, value) -> Console.println("  %s = %s".formatted(key, show(value))));
    if (tensors) {
      Console.println("tensors");
      for (TensorInfo t : file.tensors()) {
        Console.println(
            "  %-40s %-8s %-24s %s"
                .formatted(t.name(), t.type(), t.shape(), MemoryPlan.show(t.bytes())));
      }
    }
  }

  private List<String> plan(GgufFile file) {
    try {
      GraphChoice choice = choice(file);
      MemoryPlan plan = Model.plan(file, model.loading(), model.running().kvTypes());
      int context = context(file);
      return List.of(
          "graphs    " + choice,
          "memory    %s used in place, %s copied, %s on GPUs"
              .formatted(
                  MemoryPlan.show(plan.mapped()),
                  MemoryPlan.show(plan.privateCopies()),
                  MemoryPlan.show(plan.device())),
          "repack    %s: %s kept rearranged, for faster prompts"
              .formatted(
                  model.loading().repack().name().toLowerCase(Locale.ROOT),
                  MemoryPlan.show(plan.rearranged())),
          "context   %d tokens take %s; %s per token"
              .formatted(
                  context,
                  MemoryPlan.show(plan.kvPerToken() * context),
                  MemoryPlan.show(plan.kvPerToken())),
          "machine   %s available of %s"
              .formatted(MemoryPlan.show(plan.available()), MemoryPlan.show(plan.total())));
    } catch (UnsupportedModelException | ModelFormatException e) {
      return List.of("cannot be run: " + e.getMessage());
    }
  }

  /** Whose graphs compute the file; libllama is asked whether it knows it. */
  private GraphChoice choice(GgufFile file) {
    GraphChoice choice = Model.choice(file, model.loading());
    if (choice.source() == GraphSource.LIBLLAMA) {
      try {
        Vocabulary.of(file).close();
      } catch (ModelFormatException e) {
        throw new UnsupportedModelException(choice.reason() + "; " + e.getMessage(), e);
      }
    }
    return choice;
  }

  private int context(GgufFile file) {
    if (model.options.context > 0) {
      return model.options.context;
    }
    String architecture = file.metadata().text("general.architecture").orElse("");
    long own = file.metadata().integer(architecture + ".context_length").orElse(0L);
    return Math.clamp(own, 1, EngineOptions.CONTEXT_DEFAULT_MAX);
  }

  private Map<String, Object> asMap(GgufFile file) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("files", file.parts().stream().map(Object::toString).toList());
    all.put("weights", elements(file));
    all.put("bytes", bytes(file));
    all.put("bytesByType", types(file));
    try {
      GraphChoice choice = choice(file);
      all.put("graphs", choice.source().name().toLowerCase(Locale.ROOT));
      all.put("graphsReason", choice.reason());
      MemoryPlan plan = Model.plan(file, model.loading(), model.running().kvTypes());
      Map<String, Object> memory = new LinkedHashMap<>();
      memory.put("mappedBytes", plan.mapped());
      memory.put("copiedBytes", plan.privateCopies());
      memory.put("rearrangedBytes", plan.rearranged());
      memory.put("deviceBytes", plan.device());
      memory.put("kvBytesPerToken", plan.kvPerToken());
      memory.put("availableBytes", plan.available());
      memory.put("totalBytes", plan.total());
      all.put("memory", memory);
    } catch (UnsupportedModelException | ModelFormatException e) {
      all.put("problem", e.getMessage());
    }
    Map<String, Object> metadata = new LinkedHashMap<>();
    file.metadata().values().forEach((key, value) -> metadata.put(key, json(value)));
    all.put("metadata", metadata);
    all.put("tensors", file.tensors().stream().map(InspectCommand::asMap).toList());
    return all;
  }

  private static Map<String, Object> asMap(TensorInfo tensor) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("name", tensor.name());
    map.put("type", tensor.type().toString());
    map.put("shape", tensor.shape().toString());
    map.put("bytes", tensor.bytes());
    map.put("part", tensor.part());
    map.put("offset", tensor.offset());
    return map;
  }

  private static Object json(GgufValue value) {
    return switch (value) {
      case GgufValue.Int(int _, long v) -> v;
      case GgufValue.Float(int _, double v) -> v;
      case GgufValue.Bool(boolean v) -> v;
      case GgufValue.Text(String v) -> v;
      case GgufValue.Ints(int _, PackedNumbers v) when v.length() <= SHOWN_MAX -> v.integers();
      case GgufValue.Floats(int _, PackedNumbers v) when v.length() <= SHOWN_MAX -> v.numbers();
      case GgufValue.Texts(List<String> v) when v.size() <= SHOWN_MAX -> v;
      default -> show(value);
    };
  }

  private static String show(GgufValue value) {
    return switch (value) {
      case GgufValue.Int(int _, long v) -> Long.toString(v);
      case GgufValue.Float(int type, double v) ->
          type == 6 ? Float.toString((float) v) : Double.toString(v);
      case GgufValue.Bool(boolean v) -> Boolean.toString(v);
      case GgufValue.Text(String v) -> shortened(v);
      case GgufValue.Ints a -> "[%d integers]".formatted(a.values().length());
      case GgufValue.Floats a -> "[%d numbers]".formatted(a.values().length());
      case GgufValue.Texts a -> "[%d strings]".formatted(a.values().size());
      case GgufValue.Nested a -> "[%d arrays]".formatted(a.values().size());
    };
  }

  private static String shortened(String text) {
    String line = text.replace("\n", "\\n");
    return line.length() <= SHOWN_MAX ? line : line.substring(0, SHOWN_MAX - 1) + "…";
  }

  private static Map<String, Long> types(GgufFile file) {
    Map<String, Long> sizes = new TreeMap<>();
    file.tensors().forEach(t -> sizes.merge(t.type().toString(), t.bytes(), Long::sum));
    return sizes;
  }

  private static long elements(GgufFile file) {
    return file.tensors().stream().mapToLong(t -> t.shape().elements()).sum();
  }

  private static long bytes(GgufFile file) {
    return file.tensors().stream().mapToLong(TensorInfo::bytes).sum();
  }
}
