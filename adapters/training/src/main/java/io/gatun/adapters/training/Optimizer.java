package io.gatun.adapters.training;

import io.gatun.tensor.Op.UpdateRule;
import io.gatun.tensor.UpdateSettings;

/**
 * How gradients change parameters. A value.
 *
 * @param rule the method
 * @param learningRate by step
 * @param beta1 decay of the first moment, or of momentum
 * @param beta2 decay of the second moment
 * @param weightDecay of matrices, apart from the gradient; vectors have none
 * @param normMax limit of the norm of all gradients together; 0 for none
 */
public record Optimizer(
    UpdateRule rule,
    LearningRate learningRate,
    float beta1,
    float beta2,
    float weightDecay,
    float normMax) {
  private static final float EPSILON = 1e-8f;

  /** AdamW at a rate with a cosine down to a tenth, and a norm of at most 1. */
  public static Optimizer adamW(float rate) {
    return new Optimizer(
        UpdateRule.ADAMW, LearningRate.cosine(rate, 0.1f).withWarmUp(10), 0.9f, 0.99f, 0.01f, 1f);
  }

  public Optimizer withRule(UpdateRule other) {
    return new Optimizer(other, learningRate, beta1, beta2, weightDecay, normMax);
  }

  public Optimizer withLearningRate(LearningRate rate) {
    return new Optimizer(rule, rate, beta1, beta2, weightDecay, normMax);
  }

  public Optimizer withWeightDecay(float decay) {
    return new Optimizer(rule, learningRate, beta1, beta2, decay, normMax);
  }

  public Optimizer withNormMax(float most) {
    return new Optimizer(rule, learningRate, beta1, beta2, weightDecay, most);
  }

  /** With another decay of the first moment. */
  public Optimizer withMomentum(float beta) {
    return new Optimizer(rule, learningRate, beta, beta2, weightDecay, normMax);
  }

  /**
   * The numbers of one step.
   *
   * @param step from 0
   * @param gradientScale what gradients are multiplied with
   * @param decays whether weights decay
   */
  UpdateSettings settings(long step, long steps, float gradientScale, boolean decays) {
    return new UpdateSettings(
        learningRate.at(step, steps),
        beta1,
        beta2,
        EPSILON,
        decays ? weightDecay : 0,
        step + 1,
        gradientScale,
        normMax);
  }
}
