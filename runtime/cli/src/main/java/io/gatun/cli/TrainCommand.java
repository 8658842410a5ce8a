package io.gatun.cli;

import io.gatun.adapters.training.Example;
import io.gatun.adapters.training.FullParameters;
import io.gatun.adapters.training.LoraParameters;
import io.gatun.adapters.training.Packing;
import io.gatun.adapters.training.Parameters;
import io.gatun.adapters.training.PrefixParameters;
import io.gatun.adapters.training.PromptParameters;
import io.gatun.adapters.training.TextExamples;
import io.gatun.adapters.training.Trainer;
import io.gatun.adapters.training.TrainerOptions;
import io.gatun.adapters.training.TrainerOptions.Recompute;
import io.gatun.adapters.training.TrainingReport;
import io.gatun.model.LoadOptions;
import io.gatun.model.LoadOptions.Repacking;
import io.gatun.model.Model;
import io.gatun.model.adapter.AdapterFile;
import io.gatun.tensor.DType;
import io.gatun.tensor.ThreadCount;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code gatun train}: a LoRA, a soft prompt, a prefix, or the weights themselves. */
@Command(
    name = "train",
    description =
        "Trains on a GGUF model: a LoRA, a soft prompt, a prefix, or the weights themselves.",
    mixinStandardHelpOptions = true)
public final class TrainCommand implements CliCommand {
  @CommandLine.Parameters(
      index = "0",
      paramLabel = "KIND",
      description = "What is trained: ${COMPLETION-CANDIDATES}.")
  ParameterOptions.Kind kind = ParameterOptions.Kind.LORA;

  @CommandLine.Parameters(
      index = "1",
      paramLabel = "MODEL",
      description = "A GGUF file, or one to fetch.")
  String model = "";

  @Option(
      names = {"-f", "--data"},
      required = true,
      paramLabel = "FILE",
      description =
          "Text, in pieces between lines of <|endoftext|>; or .jsonl with text, prompt and"
              + " completion, or messages.")
  Path data = Path.of("");

  @Option(names = "--evaluate", paramLabel = "FILE", description = "Text that is not learned.")
  @Nullable Path evaluation;

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "FILE",
      description = "The GGUF file to write.")
  Path output = Path.of("");

  @Mixin LearningOptions learning = new LearningOptions();

  @Mixin ParameterOptions trained = new ParameterOptions();

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
      names = "--recompute",
      paramLabel = "PLAN",
      description = "Less memory, more time: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  Recompute recompute = Recompute.NONE;

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
    try (Model loaded = Model.load(Models.file(model), plain)) {
      Parameters parameters = trained.of(kind, loaded);
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
      Trainer.Result result =
          trainer.train(learned, other, new TrainingProgress(steps, interrupted, written));
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

  private Packing packing(List<Example> examples, Parameters parameters) {
    return new Packing(examples, rows, parameters.softRows(), sequence, true, seed);
  }

  private TrainerOptions options() {
    TrainerOptions options =
        TrainerOptions.defaults()
            .withBatch(rows, passes)
            .withSteps(steps)
            .withOptimizer(learning.optimizer())
            .withRecompute(recompute)
            .withThreads(threads > 0 ? threads : ThreadCount.free().threads())
            .withSeed(seed)
            .withRouterLosses(learning.balanceLoss, learning.routerZLoss)
            .withCompute(learning.compute)
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
}
