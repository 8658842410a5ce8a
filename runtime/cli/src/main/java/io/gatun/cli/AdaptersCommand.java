package io.gatun.cli;

import io.gatun.adapters.peft.AdapterMath;
import io.gatun.adapters.peft.AdapterMerge;
import io.gatun.adapters.peft.BaseModel;
import io.gatun.adapters.peft.PeftFormat;
import io.gatun.adapters.peft.Weighted;
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
import io.gatun.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code gatun adapters}: looks into adapters and makes others of them. */
@Command(
    name = "adapters",
    description = "Inspects, merges, converts and combines LoRAs, soft prompts, control vectors.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "gatun adapters COMMAND --help tells more about one."},
    subcommands = {
      AdaptersCommand.Inspect.class,
      AdaptersCommand.Merge.class,
      AdaptersCommand.Convert.class,
      AdaptersCommand.Combine.class
    })
public final class AdaptersCommand implements CliCommand {
  @Spec @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    CommandSpec command = Objects.requireNonNull(spec);
    throw new ParameterException(
        command.commandLine(), "name one of " + command.subcommands().keySet());
  }

  @Command(
      name = "inspect",
      description = "Shows what an adapter changes, and whether it fits a model.",
      mixinStandardHelpOptions = true)
  static final class Inspect implements Callable<Integer> {
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
          lora.metadata()
              .forEach((key, value) -> Console.println("  %s = %s".formatted(key, value)));
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

  @Command(
      name = "merge",
      description = "Writes a model with LoRAs folded into its weights.",
      mixinStandardHelpOptions = true)
  static final class Merge implements Callable<Integer> {
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
      AdapterMerge merge = AdapterMerge.of(GgufFile.open(model), weighted(adapters));
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

  @Command(
      name = "convert",
      description = {
        "Turns an adapter of PEFT into GGUF, or a LoRA in GGUF into PEFT's format.",
        "To GGUF when OUTPUT ends with .gguf; otherwise OUTPUT becomes a folder of PEFT's."
      },
      mixinStandardHelpOptions = true)
  static final class Convert implements Callable<Integer> {
    @Parameters(
        index = "0",
        paramLabel = "ADAPTER",
        description = "A folder or safetensors file of PEFT's, or a GGUF file.")
    Path adapter = Path.of("");

    @Option(
        names = {"-m", "--model"},
        required = true,
        paramLabel = "MODEL",
        description = "The model that it is for, as GGUF.")
    Path model = Path.of("");

    @Option(
        names = {"-o", "--output"},
        required = true,
        paramLabel = "OUTPUT",
        description = "A .gguf file or a folder.")
    Path output = Path.of("");

    @Option(
        names = "--type",
        paramLabel = "TYPE",
        description = "f32, f16, or for PEFT bf16 (default: ${DEFAULT-VALUE}).")
    DType type = DType.F32;

    @Override
    public Integer call() throws IOException {
      GgufFile base = GgufFile.open(model);
      Adapter read =
          PeftFormat.recognises(adapter)
              ? PeftFormat.read(adapter, BaseModel.of(base))
              : AdapterFile.read(adapter);
      AdapterCheck.require(read, base);
      if (output.toString().endsWith(".gguf")) {
        AdapterFile.write(read, type, output);
      } else if (read instanceof LoraAdapter lora) {
        PeftFormat.write(lora, BaseModel.of(base), type, output);
      } else {
        throw new IllegalArgumentException("only LoRAs are written for PEFT: " + read);
      }
      Console.println("%s: %s".formatted(output, read));
      return 0;
    }
  }

  /** How adapters become one. */
  enum Method {
    LINEAR,
    SVD,
    TIES
  }

  @Command(
      name = "combine",
      description = {
        "Makes one adapter of several.",
        "linear adds LoRAs exactly, with all ranks side by side; it adds control vectors, and puts soft prompts one after another. svd adds LoRAs and keeps the strongest directions. ties lets them vote on the sign of each weight (arXiv 2306.01708), then does the same."
      },
      mixinStandardHelpOptions = true)
  static final class Combine implements Callable<Integer> {
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
        description =
            "The rank of the result, for svd and ties (default: the largest of the parts).")
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
      List<Weighted> parts = weighted(adapters);
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

  /** Reads {@code FILE[=SCALE]}. */
  private static List<Weighted> weighted(List<String> texts) throws IOException {
    List<Weighted> parts = new ArrayList<>();
    Set<Path> seen = new HashSet<>();
    for (String text : texts) {
      int equals = text.lastIndexOf('=');
      boolean scaled = equals > 0 && !Files.exists(Path.of(text));
      Path file = Path.of(scaled ? text.substring(0, equals) : text);
      float scale = 1;
      if (scaled) {
        try {
          scale = Float.parseFloat(text.substring(equals + 1));
        } catch (NumberFormatException e) {
          throw new IllegalArgumentException(text + ": the scale is no number", e);
        }
      }
      if (!seen.add(file.toAbsolutePath().normalize())) {
        throw new IllegalArgumentException(file + " is named twice");
      }
      parts.add(new Weighted(AdapterFile.read(file), scale));
    }
    return parts;
  }
}
