package io.gatun.adapters.training;

import java.util.Optional;

/** Is told how training goes, on the thread that trains. */
public interface TrainingListener {
  /** Hears nothing. */
  TrainingListener NONE = new TrainingListener() {};

  /**
   * After a step.
   *
   * @param step from 1
   */
  default void step(Step step) {}

  /**
   * After a look at text that is not learned.
   *
   * @param loss mean of −ln p over its tokens
   */
  default void evaluated(long step, double loss) {}

  /** Asked before each step; true ends training after a snapshot. */
  default boolean stop() {
    return false;
  }

  /**
   * What a step did.
   *
   * @param number from 1
   * @param loss mean of −ln p over the tokens that counted
   * @param gradientNorm of all gradients together, before it was limited
   * @param learningRate of this step
   * @param tokens how many rows were trained
   * @param seconds how long it took
   * @param computeBytes memory of intermediate values
   * @param routers losses of routers, when they are trained with any
   */
  record Step(
      long number,
      long steps,
      double loss,
      double gradientNorm,
      float learningRate,
      long tokens,
      double seconds,
      long computeBytes,
      Optional<Routers> routers) {}

  /**
   * Losses of routers, before their weights.
   *
   * @param balance 1 when all experts are used alike, at most their number
   * @param z mean of (ln Σ exp scores)²
   */
  record Routers(double balance, double z) {}
}
