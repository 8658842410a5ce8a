package io.gatun.tests.benchmarks;

import io.gatun.adapters.training.FullParameters;
import io.gatun.adapters.training.LoraParameters;
import io.gatun.adapters.training.Parameters;
import io.gatun.adapters.training.Trainer;
import io.gatun.adapters.training.TrainerOptions;
import io.gatun.adapters.training.TrainerOptions.Recompute;
import io.gatun.adapters.training.TrainingListener;
import io.gatun.model.Model;
import io.gatun.tensor.DType;
import io.gatun.tensor.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * Memory of training and what less of it costs: {@code MeasureTraining 10M|100M STEPS THREADS
 * FOLDER}. Recomputation with all weights trained, then LoRAs on F16 and on Q4_K.
 */
public final class MeasureTraining {
  private MeasureTraining() {}

  public static void main(String[] args) throws IOException {
    TrainingShape shape = args[0].equals("10M") ? TrainingShape.small() : TrainingShape.large();
    int steps = Integer.parseInt(args[1]);
    int threads = Integer.parseInt(args[2]);
    Path folder = Files.createDirectories(Path.of(args[3]));
    System.out.println(
        """
        | what | weights MiB | parameters and moments MiB | intermediate values MiB | tokens/s |
        |---|---:|---:|---:|---:|\
        """);
    try (Model model = shape.model(folder, DType.F32)) {
      for (Recompute recompute : Recompute.values()) {
        measure(
            "full, " + recompute, model, FullParameters.all(), recompute, steps, threads, shape);
      }
    }
    for (DType type : new DType[] {DType.F32, DType.F16, DType.Q4_K}) {
      try (Model model = shape.model(folder, type)) {
        Parameters lora = LoraParameters.ofRank(16);
        measure("LoRA on " + type, model, lora, Recompute.NONE, steps, threads, shape);
      }
    }
  }

  private static void measure(
      String what,
      Model model,
      Parameters parameters,
      Recompute recompute,
      int steps,
      int threads,
      TrainingShape shape)
      throws IOException {
    TrainerOptions options =
        TrainerOptions.defaults()
            .withBatch(TrainingShape.SEQUENCES * TrainingShape.LENGTH, 1)
            .withSteps(steps)
            .withRecompute(recompute)
            .withThreads(threads);
    Series speed = new Series();
    long[] bytes = new long[1];
    try (Trainer trainer = new Trainer(model, parameters, options)) {
      TrainingListener listener =
          new TrainingListener() {
            @Override
            public void step(Step step) {
              bytes[0] = step.computeBytes();
              if (step.number() > 1) { // the first makes the graph
                speed.add(step.tokens() / step.seconds());
              }
            }
          };
      var _ = trainer.train(shape.data(steps), Optional.empty(), listener);
      System.out.printf(
          Locale.ROOT,
          "| %s | %.0f | %.0f | %.0f | %.0f |%n",
          what,
          weightBytes(model) / 1048576.0,
          12 * trainer.parameterCount() / 1048576.0, // F32: itself and AdamW's two moments
          bytes[0] / 1048576.0,
          speed.median());
    }
  }

  private static double weightBytes(Model model) {
    double sum = 0;
    for (StoredTensor w : model.weights().tensors()) {
      sum += w.layout().bytes();
    }
    return sum;
  }
}
