package io.gatun.adapters.training;

/** How fast to learn at each step. Stateless and thread-safe. */
@FunctionalInterface
public interface LearningRate {
  /**
   * The rate of a step.
   *
   * @param step from 0
   * @param steps how many there will be
   */
  float at(long step, long steps);

  /** Always the same. */
  static LearningRate constant(float rate) {
    return (_, _) -> rate;
  }

  /** From a rate straight down to 0. */
  static LearningRate linear(float rate) {
    return (step, steps) -> rate * (1 - (float) step / Math.max(1, steps));
  }

  /**
   * Half a cosine from a rate down to a share of it.
   *
   * @source arXiv 1608.03983
   */
  static LearningRate cosine(float rate, float lastShare) {
    return (step, steps) -> {
      double done = Math.min(1, (double) step / Math.max(1, steps));
      return (float) (rate * (lastShare + (1 - lastShare) * 0.5 * (1 + Math.cos(Math.PI * done))));
    };
  }

  /**
   * Warm-up, stable, decay: constant, and at the end straight down to 0 over a share of all steps.
   *
   * @source arXiv 2404.06395
   */
  static LearningRate stableThenDecay(float rate, float decayShare) {
    return (step, steps) -> {
      double left = (double) (steps - step) / Math.max(1, steps * (double) decayShare);
      return (float) (rate * Math.min(1, left));
    };
  }

  /** The same with a straight rise from 0 over the first steps. */
  default LearningRate withWarmUp(long warmUp) {
    return (step, steps) -> at(step, steps) * Math.min(1f, (step + 1f) / Math.max(1, warmUp));
  }
}
