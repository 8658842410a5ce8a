package io.gatun.tensor;

/**
 * How rotary position embedding turns pairs of a head's values.
 *
 * @param dims how many leading values of a head are turned, even
 * @param neox pairs (i, i + dims/2) when true, (2i, 2i + 1) when false
 * @param originalContext context length of the original training, for YaRN
 * @param base θ of arXiv 2104.09864, for example 10000
 * @param scale position scale, 1/factor of linear and YaRN scaling
 * @param extFactor 1 mixes YaRN's extrapolation in, 0 does not (arXiv 2309.00071)
 * @param attentionFactor magnitude scale of the turned values
 * @param betaFast YaRN's fast correction bound
 * @param betaSlow YaRN's slow correction bound
 */
public record RopeParameters(
    int dims,
    boolean neox,
    int originalContext,
    float base,
    float scale,
    float extFactor,
    float attentionFactor,
    float betaFast,
    float betaSlow) {

  /** Plain rotation without any context extension. */
  public static RopeParameters plain(int dims, boolean neox, int context, float base) {
    return new RopeParameters(dims, neox, context, base, 1f, 0f, 1f, 32f, 1f);
  }

  /** The same rotation with another base. */
  public RopeParameters withBase(float other) {
    return new RopeParameters(
        dims, neox, originalContext, other, scale, extFactor, attentionFactor, betaFast, betaSlow);
  }

  /** The same rotation with another position scale. */
  public RopeParameters withScale(float other) {
    return new RopeParameters(
        dims, neox, originalContext, base, other, extFactor, attentionFactor, betaFast, betaSlow);
  }

  /** The same rotation with another magnitude. */
  public RopeParameters withAttentionFactor(float other) {
    return new RopeParameters(
        dims, neox, originalContext, base, scale, extFactor, other, betaFast, betaSlow);
  }

  /** The same rotation without any context extension. */
  public RopeParameters unscaled() {
    return new RopeParameters(dims, neox, originalContext, base, 1f, 0f, 1f, betaFast, betaSlow);
  }
}
