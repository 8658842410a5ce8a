package io.gatun.cli;

import io.gatun.adapters.training.LearningRate;
import io.gatun.adapters.training.Optimizer;
import io.gatun.adapters.training.TrainerOptions.Compute;
import io.gatun.tensor.Op.UpdateRule;
import picocli.CommandLine.Option;

/** How weights change: options of {@code gatun train}. */
final class LearningOptions {
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
      names = "--compute",
      paramLabel = "TYPE",
      description =
          "Numbers of matrix products: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}). BF16"
              + " is faster on processors that have it (AVX512-BF16).")
  Compute compute = Compute.F32;

  /** The rule, with its schedule. */
  Optimizer optimizer() {
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
    return Optimizer.adamW(rate)
        .withRule(rule)
        .withLearningRate(falling.withWarmUp(warmUp))
        .withWeightDecay(decay);
  }
}
