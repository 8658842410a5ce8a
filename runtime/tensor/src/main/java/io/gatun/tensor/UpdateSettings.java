package io.gatun.tensor;

/**
 * What a step of an optimiser is told besides gradients: the values of the input that {@link
 * Tensor#update} reads, so that one compiled graph serves all steps.
 *
 * @param learningRate α of this step
 * @param beta1 decay of the first moment, or of momentum
 * @param beta2 decay of the second moment; for Lion that of its momentum
 * @param epsilon added to the root of the second moment
 * @param weightDecay λ; parameters shrink by learningRate · weightDecay each step
 * @param step how many steps there were with this one, from 1 on: Adam corrects its moments by it
 * @param gradientScale every gradient is multiplied with this, for example 1 / mini-batches
 * @param normMax limit of the norm of all gradients together once scaled; 0 for none
 */
public record UpdateSettings(
    float learningRate,
    float beta1,
    float beta2,
    float epsilon,
    float weightDecay,
    long step,
    float gradientScale,
    float normMax) {

  public UpdateSettings {
    if (step < 1 || !(beta1 >= 0 && beta1 < 1) || !(beta2 >= 0 && beta2 < 1)) {
      throw new IllegalArgumentException(
          "steps count from 1 and betas lie in [0, 1): step %d, %s, %s"
              .formatted(step, beta1, beta2));
    }
  }

  /** AdamW as most use it: β 0.9 and 0.999, ε 1e-8, no decay, no limit. */
  public static UpdateSettings defaults(float learningRate) {
    return new UpdateSettings(learningRate, 0.9f, 0.999f, 1e-8f, 0f, 1, 1f, 0f);
  }

  public UpdateSettings withLearningRate(float rate) {
    return new UpdateSettings(
        rate, beta1, beta2, epsilon, weightDecay, step, gradientScale, normMax);
  }

  public UpdateSettings withBetas(float first, float second) {
    return new UpdateSettings(
        learningRate, first, second, epsilon, weightDecay, step, gradientScale, normMax);
  }

  public UpdateSettings withWeightDecay(float decay) {
    return new UpdateSettings(
        learningRate, beta1, beta2, epsilon, decay, step, gradientScale, normMax);
  }

  public UpdateSettings withStep(long number) {
    return new UpdateSettings(
        learningRate, beta1, beta2, epsilon, weightDecay, number, gradientScale, normMax);
  }

  public UpdateSettings withGradientScale(float scale) {
    return new UpdateSettings(
        learningRate, beta1, beta2, epsilon, weightDecay, step, scale, normMax);
  }

  public UpdateSettings withNormMax(float most) {
    return new UpdateSettings(
        learningRate, beta1, beta2, epsilon, weightDecay, step, gradientScale, most);
  }

  /** The {@link Op#SETTINGS} numbers in the order of gatun.h. */
  public float[] toArray() {
    return new float[] {
      learningRate,
      beta1,
      beta2,
      epsilon,
      weightDecay,
      (float) (1 / (1 - Math.pow(beta1, (double) step))),
      (float) (1 / (1 - Math.pow(beta2, (double) step))),
      gradientScale,
      normMax
    };
  }
}
