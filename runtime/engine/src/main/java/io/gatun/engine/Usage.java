package io.gatun.engine;

/**
 * What a request took.
 *
 * @param promptTokens tokens of the prompt
 * @param cachedTokens how many of them were still in the KV cache
 * @param completionTokens tokens produced
 * @param forgottenTokens how many of all tokens its {@link ContextPolicy} let go
 * @param prefillNanos from the beginning of its first step to the first token
 * @param decodeNanos from the first token to the last
 */
public record Usage(
    int promptTokens,
    int cachedTokens,
    int completionTokens,
    int forgottenTokens,
    long prefillNanos,
    long decodeNanos) {
  /** Computed prompt tokens per second. */
  public double prefillTokensPerSecond() {
    return (promptTokens - cachedTokens) * 1e9 / Math.max(1, prefillNanos);
  }

  /** Produced tokens per second, after the first. */
  public double decodeTokensPerSecond() {
    return Math.max(0, completionTokens - 1) * 1e9 / Math.max(1, decodeNanos);
  }
}
