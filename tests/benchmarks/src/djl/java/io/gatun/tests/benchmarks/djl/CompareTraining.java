package io.gatun.tests.benchmarks.djl;

import io.gatun.adapters.training.FullParameters;
import io.gatun.adapters.training.LearningRate;
import io.gatun.adapters.training.LoraParameters;
import io.gatun.adapters.training.MiniBatch;
import io.gatun.adapters.training.Optimizer;
import io.gatun.adapters.training.Packing;
import io.gatun.adapters.training.Parameters;
import io.gatun.adapters.training.Trainer;
import io.gatun.adapters.training.TrainerOptions;
import io.gatun.adapters.training.TrainerOptions.Compute;
import io.gatun.adapters.training.TrainingListener;
import io.gatun.model.Model;
import io.gatun.model.gguf.TensorInfo;
import io.gatun.tensor.DType;
import io.gatun.tensor.Op.UpdateRule;
import io.gatun.tests.benchmarks.TrainingShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Training steps of Gatun and of LibTorch in turns, on the same weights and batches: {@code
 * CompareTraining 10M|100M full|lora STEPS THREADS FOLDER F32|BF16}. LibTorch computes in F32 in
 * any case.
 */
public final class CompareTraining {
  private static final float RATE = 1e-3f;
  private static final int RANK = 16;

  private final List<Double> ours = new ArrayList<>();
  private final List<Double> theirs = new ArrayList<>();
  private double difference;
  private double ourLoss;
  private double theirLoss;

  private CompareTraining() {}

  public static void main(String[] args) throws IOException {
    System.setProperty("ai.djl.offline", "true"); // natives come from the class path
    System.setProperty("ai.djl.pytorch.num_threads", args[3]);
    System.setProperty("ai.djl.pytorch.num_interop_threads", "1");
    TrainingShape shape = args[0].equals("10M") ? TrainingShape.small() : TrainingShape.large();
    boolean lora = args[1].equals("lora");
    int steps = Integer.parseInt(args[2]);
    Path folder = Files.createDirectories(Path.of(args[4]));
    CompareTraining compare = new CompareTraining();
    Compute compute = Compute.valueOf(args[5]);
    compare.run(shape, lora, steps, Integer.parseInt(args[3]), folder, compute);
    compare.print(shape, args[1] + ", " + compute, lora);
  }

  private void run(
      TrainingShape shape, boolean lora, int steps, int threads, Path folder, Compute compute)
      throws IOException {
    Packing data = shape.data(steps);
    List<MiniBatch> batches = data.epoch(0);
    Optimizer optimizer =
        new Optimizer(UpdateRule.ADAMW, LearningRate.constant(RATE), 0.9f, 0.99f, 0, 0);
    TrainerOptions options =
        TrainerOptions.defaults()
            .withBatch(TrainingShape.SEQUENCES * TrainingShape.LENGTH, 1)
            .withSteps(steps)
            .withOptimizer(optimizer)
            .withCompute(compute)
            .withThreads(threads);
    Parameters parameters = lora ? LoraParameters.ofRank(RANK) : FullParameters.all();
    try (Model model = shape.model(folder, DType.F32);
        TorchLlama torch =
            new TorchLlama(shape.shape(), TrainingShape.SEQUENCES, TrainingShape.LENGTH, 2);
        Trainer trainer = new Trainer(model, parameters, options)) {
      fill(torch, model, parameters, trainer, options, lora);
      TrainingListener inTurns =
          new TrainingListener() {
            @Override
            public void step(Step step) {
              long start = System.nanoTime();
              theirLoss = torch.step(batches.get((int) step.number() - 1), RATE);
              double seconds = (System.nanoTime() - start) / 1e9;
              ourLoss = step.loss();
              difference = Math.max(difference, Math.abs(ourLoss - theirLoss) / theirLoss);
              if (step.number() > 1) { // the first makes graphs and loads libraries
                ours.add(step.tokens() / step.seconds());
                theirs.add(step.tokens() / seconds);
              }
              if (step.number() <= 2 || step.number() % 20 == 0) {
                System.err.printf(
                    Locale.ROOT, "step %d: %.6f %.6f%n", step.number(), ourLoss, theirLoss);
              }
            }
          };
      var _ = trainer.train(data, Optional.empty(), inTurns);
    }
  }

  /** The same weights, and for a LoRA the same first A and B. */
  private static void fill(
      TorchLlama torch,
      Model model,
      Parameters parameters,
      Trainer trainer,
      TrainerOptions options,
      boolean lora) {
    try (Trainer weights = lora ? new Trainer(model, FullParameters.all(), options) : null) {
      for (TensorInfo tensor : model.file().tensors()) {
        Trainer of = weights == null ? trainer : weights;
        torch.put(tensor.name(), of.values(tensor.name()), tensor.shape().d1(), !lora);
      }
    }
    if (lora) {
      parameters
          .shapes(model)
          .forEach((name, s) -> torch.put(name, trainer.values(name), s.d1(), true));
    }
  }

  private void print(TrainingShape shape, String kind, boolean lora) {
    double we = median(ours);
    double they = median(theirs);
    // A frozen weight has the product and the gradient of its input, a trained one its own too.
    double macs = (lora ? 2.0 : 3.0) * shape.products() * we / 1e9;
    System.out.printf(
        Locale.ROOT,
        "| %s, %s | %.0f | %.0f | %.3f | %.1f | %.6f | %.6f | %.1e |%n",
        shape.name(),
        kind,
        we,
        they,
        we / they,
        macs,
        ourLoss,
        theirLoss,
        difference);
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }
}
