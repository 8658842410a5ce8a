package io.gatun.cli;

import io.gatun.adapters.training.Example;
import io.gatun.adapters.training.FullParameters;
import io.gatun.adapters.training.LearningRate;
import io.gatun.adapters.training.LoraParameters;
import io.gatun.adapters.training.Optimizer;
import io.gatun.adapters.training.Packing;
import io.gatun.adapters.training.Parameters;
import io.gatun.adapters.training.PrefixParameters;
import io.gatun.adapters.training.PromptParameters;
import io.gatun.adapters.training.TextExamples;
import io.gatun.adapters.training.Trainer;
import io.gatun.adapters.training.TrainerOptions;
import io.gatun.adapters.training.TrainerOptions.Recompute;
import io.gatun.adapters.training.TrainingListener;
import io.gatun.adapters.training.TrainingReport;
import io.gatun.model.LoadOptions;
import io.gatun.model.LoadOptions.Repacking;
import io.gatun.model.MemoryPlan;
import io.gatun.model.Model;
import io.gatun.model.adapter.AdapterFile;
import io.gatun.tensor.DType;
import io.gatun.tensor.Op.UpdateRule;
import io.gatun.tensor.ThreadCount;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code gatun train}: a LoRA, a soft prompt, a prefix, or the weights themselves. */
@Command(
    name = "train",
    description =
        "Trains on a GGUF model: a LoRA, a soft prompt, a prefix, or the weights themselves.",
    mixinStandardHelpOptions = true)
public final class TrainCommand implements CliCommand {
  /** What is trained. */
  enum Kind {
    LORA,
    PROMPT,
    PREFIX,
    FULL
  }

  @CommandLine.Parameters(
      index = "0",
      paramLabel = "KIND",
      description = "What is trained: ${COMPLETION-CANDIDATES}.")
  Kind kind = Kind.LORA;

  @CommandLine.Parameters(index = "1", paramLabel = "MODEL", description = "A GGUF file.")
  Path model = Path.of("");

  @Option(
      names = {"-f", "--data"},
      required = true,
      paramLabel = "FILE",
      description =
          "Text, in pieces between lines of <|endoftext|>; or .jsonl with text, prompt and completion, or messages.")
  Path data = Path.of("");

  @Option(names = "--evaluate", paramLabel = "FILE", description = "Text that is not learned.")
  @Nullable Path evaluation;

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "FILE",
      description = "The GGUF file to write.")
  Path output = Path.of("");

  @Option(names = "--steps", paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
  long steps = 100;

  @Option(
      names = "--sequence",
      paramLabel = "N",
      description = "Tokens of a sequence; longer texts are cut (default: ${DEFAULT-VALUE}).")
  int sequence = 256;

  @Option(
      names = "--rows",
      paramLabel = "N",
      description = "Tokens of one pass, several sequences (default: ${DEFAULT-VALUE}).")
  int rows = 512;

  @Option(
      names = "--passes",
      paramLabel = "N",
      description = "Passes of one step (default: ${DEFAULT-VALUE}).")
  int passes = 1;

  @Option(
      names = "--rate",
      paramLabel = "R",
      description = "Learning rate (default: ${DEFAULT-VALUE}).")
  float rate = 1e-3f;

  @Option(
      names = "--schedule",
      paramLabel = "NAME",
      description = "constant, linear, cosine or wsd (default: ${DEFAULT-VALUE}).")
  String schedule = "cosine";

  @Option(names = "--warm-up", paramLabel = "N", description = "Steps (default: ${DEFAULT-VALUE}).")
  long warmUp = 10;

  @Option(
      names = "--optimizer",
      paramLabel = "NAME",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  UpdateRule rule = UpdateRule.ADAMW;

  @Option(
      names = "--decay",
      paramLabel = "D",
      description = "Weight decay (default: ${DEFAULT-VALUE}).")
  float decay = 0.01f;

  @Option(
      names = "--balance-loss",
      paramLabel = "W",
      description = "What it costs to use experts unevenly, such as 0.01 (default: nothing).")
  float balanceLoss;

  @Option(
      names = "--router-z-loss",
      paramLabel = "W",
      description = "What large scores of routers cost, such as 0.001 (default: nothing).")
  float routerZLoss;

  @Option(
      names = "--recompute",
      paramLabel = "PLAN",
      description = "Less memory, more time: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  Recompute recompute = Recompute.NONE;

  @Option(
      names = "--rank",
      paramLabel = "R",
      description = "Of a LoRA (default: ${DEFAULT-VALUE}).")
  int rank = 16;

  @Option(names = "--alpha", paramLabel = "A", description = "Of a LoRA (default: twice the rank).")
  float alpha;

  @Option(names = "--rs-lora", description = "Scale a LoRA by alpha/√rank.")
  boolean rankStabilised;

  @Option(
      names = "--dropout",
      paramLabel = "P",
      description = "Share of a LoRA's input that is left out while learning (default: none).")
  float dropout;

  @Option(names = "--dora", description = "Train the length of each row too (DoRA).")
  boolean dora;

  @Option(
      names = "--target",
      paramLabel = "REGEX",
      description =
          "Names of the tensors that are trained (default: all, or for a LoRA the projections of attention, feed-forward networks and experts).")
  @Nullable String target;

  @Option(
      names = "--prompt-rows",
      paramLabel = "N",
      description = "Rows of a soft prompt or a prefix (default: ${DEFAULT-VALUE}).")
  int promptRows = 16;

  @Option(
      names = "--prompt-text",
      paramLabel = "TEXT",
      description = "What a soft prompt begins with.")
  String promptText = "The";

  @Option(names = "--type", paramLabel = "TYPE", description = "Of what is written (default: F16).")
  DType type = DType.F16;

  @Option(
      names = "--snapshot",
      paramLabel = "FILE",
      description = "Keep the state here, and go on from it.")
  @Nullable Path snapshot;

  @Option(
      names = "--every",
      paramLabel = "N",
      description = "Steps between snapshots and evaluations (default: ${DEFAULT-VALUE}).")
  long every = 50;

  @Option(
      names = "--patience",
      paramLabel = "N",
      description = "End after so many evaluations that were not better.")
  int patience;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = "One JSON line per step, and a plot beside it.")
  @Nullable Path report;

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "CPU threads (default: as many as there are cores that nothing else uses).")
  int threads;

  @Option(names = "--seed", paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
  long seed = 1;

  private final AtomicBoolean interrupted = new AtomicBoolean();

  @Override
  public Integer call() throws IOException {
    LoadOptions plain = LoadOptions.defaults().withRepack(Repacking.NONE).withGpuLayers(0);
    try (Model loaded = Model.load(model, plain)) {
      Parameters parameters = parameters(loaded);
      TextExamples texts = new TextExamples(loaded.vocabulary());
      Packing learned = packing(texts.read(data), parameters);
      Optional<Packing> other =
          evaluation == null
              ? Optional.empty()
              : Optional.of(packing(texts.read(evaluation), parameters));
      try (Trainer trainer = new Trainer(loaded, parameters, options())) {
        Console.note(
            "%d parameters, %d steps of %d tokens"
                .formatted(trainer.parameterCount(), steps, (long) rows * passes));
        Trainer.Result result = train(trainer, learned, other);
        if (!result.finished()) {
          Console.note(
              "stopped after step %d%s"
                  .formatted(
                      result.steps(),
                      snapshot == null ? "" : "; the same command goes on from " + snapshot));
          return 130;
        }
        write(loaded, parameters, trainer);
        Console.println(
            "%s: loss %.4f after %d steps".formatted(output, result.loss(), result.steps()));
      }
    }
    return 0;
  }

  private Trainer.Result train(Trainer trainer, Packing learned, Optional<Packing> other)
      throws IOException {
    Thread training = Thread.currentThread();
    Thread onInterrupt =
        new Thread(() -> {
          interrupted.set(true);
          try {
            training.join(60_000); // it keeps its state after the step that runs
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    Runtime.getRuntime().addShutdownHook(onInterrupt);
    Optional<TrainingReport> written = Optional.ofNullable(report).map(TrainingReport::new);
    try {
      Trainer.Result result = trainer.train(learned, other, new Shown(steps, interrupted, written));
      if (written.isPresent() && report != null) {
        written.get().plot(report.resolveSibling(report.getFileName() + ".svg"));
      }
      return result;
    } finally {
      if (!interrupted.get()) {
        Runtime.getRuntime().removeShutdownHook(onInterrupt);
      }
    }
  }

  private Parameters parameters(Model loaded) {
    return switch (kind) {
      case LORA ->
          LoraParameters.ofRank(rank)
              .withAlpha(alpha == 0 ? 2f * rank : alpha)
              .withRankStabilised(rankStabilised)
              .withDropout(dropout)
              .withMagnitudes(dora)
              .withTargets(target == null ? LoraParameters.ALL_LINEAR : Pattern.compile(target));
      case PROMPT ->
          PromptParameters.ofText(
              loaded, promptRows, loaded.vocabulary().encode(promptText, false, false));
      case PREFIX -> new PrefixParameters(promptRows);
      case FULL ->
          target == null ? FullParameters.all() : new FullParameters(Pattern.compile(target));
    };
  }

  private Packing packing(List<Example> examples, Parameters parameters) {
    return new Packing(examples, rows, parameters.softRows(), sequence, true, seed);
  }

  private TrainerOptions options() {
    LearningRate falling =
        switch (schedule) {
          case "constant" -> LearningRate.constant(rate);
          case "linear" -> LearningRate.linear(rate);
          case "cosine" -> LearningRate.cosine(rate, 0.1f);
          case "wsd" -> LearningRate.stableThenDecay(rate, 0.2f);
          default ->
              throw new IllegalArgumentException(
                  "--schedule is constant, linear, cosine or wsd, not " + schedule);
        };
    Optimizer optimizer =
        Optimizer.adamW(rate)
            .withRule(rule)
            .withLearningRate(falling.withWarmUp(warmUp))
            .withWeightDecay(decay);
    TrainerOptions options =
        TrainerOptions.defaults()
            .withBatch(rows, passes)
            .withSteps(steps)
            .withOptimizer(optimizer)
            .withRecompute(recompute)
            .withThreads(threads > 0 ? threads : ThreadCount.free().threads())
            .withSeed(seed)
            .withRouterLosses(balanceLoss, routerZLoss)
            .withEvaluation(every, patience);
    return snapshot == null ? options : options.withSnapshots(snapshot, every);
  }

  private void write(Model loaded, Parameters parameters, Trainer trainer) throws IOException {
    String file = String.valueOf(output.getFileName());
    String name = file.endsWith(".gguf") ? file.substring(0, file.length() - 5) : file;
    switch (parameters) {
      case LoraParameters lora ->
          AdapterFile.write(lora.adapter(loaded, name, trainer::values, Map.of()), type, output);
      case PromptParameters prompt ->
          AdapterFile.write(prompt.adapter(loaded, name, trainer::values), type, output);
      case PrefixParameters prefix ->
          AdapterFile.write(prefix.adapter(loaded, name, trainer::values), type, output);
      case FullParameters full -> full.write(loaded, trainer::values, type, output);
      default -> throw new AssertionError(parameters);
    }
  }

  /** Shows steps on standard error. */
  private static final class Shown implements TrainingListener {
    private final AtomicBoolean interrupted;
    private final Optional<TrainingReport> report;
    private final Progress progress;
    private String evaluated = "";

    Shown(long steps, AtomicBoolean interrupted, Optional<TrainingReport> report) {
      this.interrupted = interrupted;
      this.report = report;
      this.progress = new Progress("training", steps);
    }

    @Override
    public void step(Step step) {
      report.ifPresent(r -> r.step(step));
      progress.at(
          step.number(),
          String.format(
              Locale.ROOT,
              "step %d loss %.4f%s, %.0f tokens/s, %s",
              step.number(),
              step.loss(),
              evaluated,
              step.tokens() / step.seconds(),
              MemoryPlan.show(step.computeBytes())));
      if (step.number() == step.steps()) {
        progress.end();
      }
    }

    @Override
    public void evaluated(long step, double loss) {
      report.ifPresent(r -> r.evaluated(step, loss));
      evaluated = String.format(Locale.ROOT, " (evaluation %.4f)", loss);
    }

    @Override
    public boolean stop() {
      return interrupted.get();
    }
  }
}
