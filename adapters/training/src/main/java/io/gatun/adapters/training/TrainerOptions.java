package io.gatun.adapters.training;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How to train. A value.
 *
 * @param batchRows T, rows of one pass
 * @param passes of one step, whose gradients are added up
 * @param steps how many
 * @param recompute how much of the forward pass is kept in memory
 * @param threads CPU threads
 * @param seed of first values
 * @param routerLosses what losses of routers count, for models with experts
 * @param compute in which numbers matrix products of floats are computed
 */
public record TrainerOptions(
    int batchRows,
    int passes,
    long steps,
    Optimizer optimizer,
    Recompute recompute,
    int threads,
    long seed,
    Evaluation evaluation,
    Snapshots snapshots,
    RouterLosses routerLosses,
    Compute compute) {

  /**
   * In which numbers matrix products of floats are computed, forwards and backwards. Weights,
   * gradients, optimisers, norms, attention and losses are F32 in any case (arXiv 1710.03740).
   */
  public enum Compute {
    F32,
    /**
     * Both operands rounded to BF16, sums in F32 (arXiv 1905.12322). Faster than F32 only on
     * processors with AVX512-BF16. No scaling of the loss is needed, as BF16 reaches as far as F32.
     */
    BF16
  }

  /** How much of the forward pass is kept in memory; the rest is computed again. */
  public enum Recompute {
    /** Everything is kept. */
    NONE,
    /** Products are kept; the cheap rest is computed again. */
    SELECTIVE,
    /** Only what each layer takes is kept. */
    LAYERS,
    /** Only what each √n-th layer takes is kept. */
    SQUARE_ROOT
  }

  /**
   * When to look at text that is not learned.
   *
   * @param every steps between; 0 for never
   * @param patience looks without a better loss after which training ends; 0 for no such end
   */
  public record Evaluation(long every, int patience) {}

  /**
   * Where the whole state is kept, so that training goes on after an interruption as if there had
   * been none.
   *
   * @param every steps between
   */
  public record Snapshots(Optional<Path> file, long every) {}

  /**
   * What losses of routers count beside the loss of a token; 0 for not at all.
   *
   * @param balance of the use of experts (arXiv 2101.03961), usually 0.01 or less
   * @param z of large scores (arXiv 2202.08906), usually 0.001 or less
   */
  public record RouterLosses(float balance, float z) {
    public static final RouterLosses NONE = new RouterLosses(0, 0);

    public RouterLosses {
      if (!(balance >= 0 && balance < 1e6f && z >= 0 && z < 1e6f)) {
        throw new IllegalArgumentException(
            "weights of router losses must not be negative: %s, %s".formatted(balance, z));
      }
    }

    public boolean any() {
      return balance > 0 || z > 0;
    }
  }

  public TrainerOptions {
    if (batchRows < 2 || passes < 1 || steps < 1 || threads < 1) {
      throw new IllegalArgumentException(
          "training needs at least 2 rows, 1 pass, 1 step and 1 thread: %d, %d, %d, %d"
              .formatted(batchRows, passes, steps, threads));
    }
  }

  /** 100 steps of one pass of 512 rows with AdamW at 1e-3, on one thread. */
  public static TrainerOptions defaults() {
    return new TrainerOptions(
        512,
        1,
        100,
        Optimizer.adamW(1e-3f),
        Recompute.NONE,
        1,
        1,
        new Evaluation(0, 0),
        new Snapshots(Optional.empty(), 100),
        RouterLosses.NONE,
        Compute.F32);
  }

  public TrainerOptions withBatch(int rows, int passesOfStep) {
    return new TrainerOptions(
        rows,
        passesOfStep,
        steps,
        optimizer,
        recompute,
        threads,
        seed,
        evaluation,
        snapshots,
        routerLosses,
        compute);
  }

  public TrainerOptions withSteps(long count) {
    return new TrainerOptions(
        batchRows,
        passes,
        count,
        optimizer,
        recompute,
        threads,
        seed,
        evaluation,
        snapshots,
        routerLosses,
        compute);
  }

  public TrainerOptions withOptimizer(Optimizer other) {
    return new TrainerOptions(
        batchRows,
        passes,
        steps,
        other,
        recompute,
        threads,
        seed,
        evaluation,
        snapshots,
        routerLosses,
        compute);
  }

  public TrainerOptions withRecompute(Recompute plan) {
    return new TrainerOptions(
        batchRows,
        passes,
        steps,
        optimizer,
        plan,
        threads,
        seed,
        evaluation,
        snapshots,
        routerLosses,
        compute);
  }

  public TrainerOptions withThreads(int count) {
    return new TrainerOptions(
        batchRows,
        passes,
        steps,
        optimizer,
        recompute,
        count,
        seed,
        evaluation,
        snapshots,
        routerLosses,
        compute);
  }

  public TrainerOptions withSeed(long other) {
    return new TrainerOptions(
        batchRows,
        passes,
        steps,
        optimizer,
        recompute,
        threads,
        other,
        evaluation,
        snapshots,
        routerLosses,
        compute);
  }

  public TrainerOptions withEvaluation(long every, int patience) {
    return new TrainerOptions(
        batchRows,
        passes,
        steps,
        optimizer,
        recompute,
        threads,
        seed,
        new Evaluation(every, patience),
        snapshots,
        routerLosses,
        compute);
  }

  public TrainerOptions withSnapshots(Path file, long every) {
    return new TrainerOptions(
        batchRows,
        passes,
        steps,
        optimizer,
        recompute,
        threads,
        seed,
        evaluation,
        new Snapshots(Optional.of(file), every),
        routerLosses,
        compute);
  }

  /** With losses of routers: what balance and z count beside the loss of a token; 0 for none. */
  public TrainerOptions withRouterLosses(float balance, float z) {
    return new TrainerOptions(
        batchRows,
        passes,
        steps,
        optimizer,
        recompute,
        threads,
        seed,
        evaluation,
        snapshots,
        new RouterLosses(balance, z),
        compute);
  }

  public TrainerOptions withCompute(Compute numbers) {
    return new TrainerOptions(
        batchRows,
        passes,
        steps,
        optimizer,
        recompute,
        threads,
        seed,
        evaluation,
        snapshots,
        routerLosses,
        numbers);
  }
}
