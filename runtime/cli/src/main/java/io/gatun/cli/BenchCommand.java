package io.gatun.cli;

import io.gatun.LanguageModel;
import io.gatun.cli.Measurement.Series;
import io.gatun.engine.Engine;
import io.gatun.model.LoadOptions.Repacking;
import io.gatun.tensor.llama.LlamaModel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;

/** {@code gatun bench}: measures prompt processing and generation, alone or against libllama. */
@Command(
    name = "bench",
    description = "Measures speed in tokens per second, as llama-bench does.",
    mixinStandardHelpOptions = true)
public final class BenchCommand implements CliCommand {
  @Mixin ModelOptions model = new ModelOptions();

  @Option(
      names = {"-p", "--n-prompt"},
      paramLabel = "N",
      description = "Tokens of the prompt, 0 for none (default: ${DEFAULT-VALUE}).")
  int prompt = 512;

  @Option(
      names = {"-n", "--n-gen"},
      paramLabel = "N",
      description = "Tokens generated, 0 for none (default: ${DEFAULT-VALUE}).")
  int generated = 128;

  @Option(
      names = {"-r", "--repetitions"},
      paramLabel = "N",
      description = "Measured runs, after one that is not (default: ${DEFAULT-VALUE}).")
  int repetitions = 5;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "md or json (default: ${DEFAULT-VALUE}).")
  String output = "md";

  @Option(
      names = "--against",
      paramLabel = "llama",
      description =
          "Also measure libllama on the same file, in turns with Gatun, and print the ratio.")
  @Nullable String against;

  @Option(
      names = {"-d", "--depth"},
      paramLabel = "N",
      description = "Tokens that lie before those measured (default: ${DEFAULT-VALUE}).")
  int depth;

  @Option(
      names = {"-s", "--sequences"},
      paramLabel = "N",
      description =
          "Sequences computed together; speeds are those of all (default: ${DEFAULT-VALUE}).")
  int sequences = 1;

  /** What is measured: computing a prompt, or generating. */
  enum Kind {
    PROMPT("pp"),
    GENERATE("tg");

    final String shortName;

    Kind(String shortName) {
      this.shortName = shortName;
    }
  }

  /** One test: so many tokens in each sequence. */
  record Test(Kind kind, int tokens) {}

  /** How many sequences run together, and how many tokens each has already. */
  record Load(int sequences, int depth) {
    /** Random tokens of a sequence that lie before those measured, always the same ones. */
    int[] before(int sequence, int vocabulary) {
      return new SplittableRandom(sequence).ints(depth, 0, vocabulary).toArray();
    }

    /** Random tokens that are measured; others in each run, or a cache would know them. */
    int[] measured(int sequence, int run, int count, int vocabulary) {
      return new SplittableRandom(31L * run + sequence).ints(count, 0, vocabulary).toArray();
    }
  }

  @Override
  public Integer call() {
    check();
    Load load = new Load(sequences, depth);
    model.options.context = sequences * (depth + Math.max(prompt, generated) + 1);
    model.options.sequences = sequences;
    List<Measurement> results;
    try (LanguageModel loaded = model.load()) {
      model.options.threads = loaded.engine().options().threads();
      results = against == null ? alone(loaded.engine(), load) : sideBySide(loaded, load);
      Engine.Statistics all = loaded.engine().statistics();
      Console.note(
          "%d steps, %.3f ms of Java in each, %.2f %% of the time"
              .formatted(
                  all.steps(),
                  (all.stepNanos() - all.computeNanos()) / 1e6 / all.steps(),
                  100.0 * (all.stepNanos() - all.computeNanos()) / all.stepNanos()));
    }
    Console.println(output.equals("json") ? json(results) : markdown(results));
    return 0;
  }

  private void check() {
    if (prompt < 0 || generated < 0 || prompt + generated == 0 || repetitions < 1) {
      throw new IllegalArgumentException("nothing to measure: see -p, -n and -r");
    }
    if (depth < 0 || sequences < 1 || sequences > 256) {
      throw new IllegalArgumentException("-d is 0 or more, -s 1 to 256");
    }
    if (!List.of("md", "json").contains(output)) {
      throw new IllegalArgumentException("-o is md or json, not " + output);
    }
    if (against != null && !against.equals("llama")) {
      throw new IllegalArgumentException("--against knows only llama, not " + against);
    }
  }

  private List<Measurement> alone(Engine engine, Load load) {
    try (BenchRuns gatun = new EngineRuns(engine, load)) {
      return measure(load, gatun, null);
    }
  }

  /** libllama as it is by default: it rearranges weights unless both sides are told not to. */
  private List<Measurement> sideBySide(LanguageModel loaded, Load load) {
    boolean repacked = !model.options.noRepack && model.options.repack != Repacking.NONE;
    int onGpu = loaded.model().devices().onGpu();
    int cells = loaded.engine().contextTokens();
    try (LlamaModel other = LlamaModel.load(model.file(), repacked, onGpu);
        BenchRuns llama =
            new LlamaRuns(other, load, cells, model.options.batch, model.options.threads);
        BenchRuns gatun = new EngineRuns(loaded.engine(), load)) {
      return measure(load, gatun, llama);
    }
  }

  private List<Measurement> measure(Load load, BenchRuns gatun, @Nullable BenchRuns llama) {
    List<Test> tests =
        Stream.of(new Test(Kind.PROMPT, prompt), new Test(Kind.GENERATE, generated))
            .filter(test -> test.tokens() > 0)
            .toList();
    List<Measurement> results = new ArrayList<>();
    Progress progress = new Progress("measuring", (long) tests.size() * (repetitions + 1));
    int done = 0;
    for (Test test : tests) {
      Series ours = new Series();
      Series theirs = new Series();
      for (int run = 0; run <= repetitions; run++) {
        // The first run warms caches and graphs up; the order alternates, as clocks drift.
        boolean counted = run > 0;
        if (llama == null) {
          ours.add(gatun.speed(load, test), counted);
        } else if (run % 2 == 0) {
          ours.add(gatun.speed(load, test), counted);
          theirs.add(llama.speed(load, test), counted);
        } else {
          theirs.add(llama.speed(load, test), counted);
          ours.add(gatun.speed(load, test), counted);
        }
        progress.at(++done, "");
      }
      results.add(
          new Measurement(name(test, load), test.tokens(), ours, llama == null ? null : theirs));
    }
    progress.end();
    return results;
  }

  /** As llama-bench writes it, {@code tg128 @ d2048}, and the number of sequences. */
  private static String name(Test test, Load load) {
    String deep = load.depth() > 0 ? " @ d" + load.depth() : "";
    String many = load.sequences() > 1 ? " × " + load.sequences() : "";
    return test.kind().shortName + test.tokens() + many + deep;
  }

  private String markdown(List<Measurement> results) {
    StringBuilder text = new StringBuilder();
    boolean both = against != null;
    text.append("| model | threads | test | gatun t/s |");
    text.append(both ? " llama t/s | ratio |\n" : "\n");
    text.append("|---|---:|---|---:|").append(both ? "---:|---:|\n" : "\n");
    for (Measurement m : results) {
      text.append(
          "| %s | %d | %s | %s |".formatted(name(), model.options.threads, m.test(), m.ours()));
      if (m.theirs() != null) {
        text.append(" %s | %.3f |".formatted(m.theirs(), m.ratio()));
      }
      text.append('\n');
    }
    return text.toString().strip();
  }

  private String json(List<Measurement> results) {
    List<Map<String, Object>> list = new ArrayList<>();
    for (Measurement m : results) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("model", name());
      entry.put("threads", model.options.threads);
      entry.put("test", m.test());
      entry.put("tokens", m.tokens());
      entry.put("repetitions", repetitions);
      entry.put("gatun_tokens_per_second", m.ours().asMap());
      if (m.theirs() != null) {
        entry.put("llama_tokens_per_second", m.theirs().asMap());
        entry.put("ratio", Math.round(m.ratio() * 10000) / 10000.0);
      }
      list.add(entry);
    }
    return JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(list);
  }

  private String name() {
    return String.valueOf(model.file().getFileName());
  }
}
