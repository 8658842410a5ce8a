package io.gatun.cli;

import io.gatun.LanguageModel;
import io.gatun.cli.Measurement.Series;
import io.gatun.engine.Engine;
import io.gatun.model.LoadOptions.Repacking;
import io.gatun.tensor.llama.LlamaContext;
import io.gatun.tensor.llama.LlamaModel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

  @Override
  public Integer call() {
    check();
    model.context = Math.max(prompt, generated) + 1;
    List<Measurement> results;
    try (LanguageModel loaded = model.load()) {
      model.threads = loaded.engine().options().threads();
      BenchRuns gatun = BenchRuns.of(loaded.engine());
      results = against == null ? alone(gatun) : sideBySide(gatun, loaded);
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
    if (!List.of("md", "json").contains(output)) {
      throw new IllegalArgumentException("-o is md or json, not " + output);
    }
    if (against != null && !against.equals("llama")) {
      throw new IllegalArgumentException("--against knows only llama, not " + against);
    }
  }

  private List<Measurement> alone(BenchRuns gatun) {
    return measure(gatun, null);
  }

  /** libllama as it is by default: it rearranges weights unless both sides are told not to. */
  private List<Measurement> sideBySide(BenchRuns gatun, LanguageModel loaded) {
    boolean repacked = !model.noRepack && model.repack != Repacking.NONE;
    int onGpu = loaded.model().devices().onGpu();
    int cells = loaded.engine().contextTokens();
    try (LlamaModel llama = LlamaModel.load(model.model, repacked, onGpu);
        LlamaContext context = new LlamaContext(llama, cells, model.batch, 1, model.threads)) {
      return measure(gatun, BenchRuns.of(context, model.batch, llama.tokenCount()));
    }
  }

  private List<Measurement> measure(BenchRuns gatun, @Nullable BenchRuns llama) {
    List<Measurement> results = new ArrayList<>();
    int kinds = (prompt > 0 ? 1 : 0) + (generated > 0 ? 1 : 0);
    Progress progress = new Progress("measuring", (long) kinds * (repetitions + 1));
    int done = 0;
    for (String kind : List.of("pp", "tg")) {
      int tokens = kind.equals("pp") ? prompt : generated;
      if (tokens == 0) {
        continue;
      }
      Series ours = new Series();
      Series theirs = new Series();
      for (int run = 0; run <= repetitions; run++) {
        // The first run warms caches and graphs up; the order alternates, as clocks drift.
        boolean counted = run > 0;
        if (llama == null) {
          ours.add(gatun.run(kind, tokens), counted);
        } else if (run % 2 == 0) {
          ours.add(gatun.run(kind, tokens), counted);
          theirs.add(llama.run(kind, tokens), counted);
        } else {
          theirs.add(llama.run(kind, tokens), counted);
          ours.add(gatun.run(kind, tokens), counted);
        }
        progress.at(++done, "");
      }
      results.add(new Measurement(kind + tokens, tokens, ours, llama == null ? null : theirs));
    }
    progress.end();
    return results;
  }

  private String markdown(List<Measurement> results) {
    StringBuilder text = new StringBuilder();
    boolean both = against != null;
    text.append("| model | threads | test | gatun t/s |");
    text.append(both ? " llama t/s | ratio |\n" : "\n");
    text.append("|---|---:|---|---:|").append(both ? "---:|---:|\n" : "\n");
    for (Measurement m : results) {
      text.append("| %s | %d | %s | %s |".formatted(name(), model.threads, m.test(), m.ours()));
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
      entry.put("threads", model.threads);
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
    return String.valueOf(model.model.getFileName());
  }
}
