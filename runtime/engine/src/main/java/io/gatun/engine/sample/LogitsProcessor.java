package io.gatun.engine.sample;

import java.util.random.RandomGenerator;

/**
 * Edits the candidates for the next token. The smallest one:
 *
 * <pre>{@code
 * public record Temperature(float value) implements LogitsProcessor {
 *   public void apply(Logits row, TokenHistory history, RandomGenerator random) {
 *     row.scale(1 / value);
 *   }
 * }
 * }</pre>
 *
 * <p>Implementations are records of their parameters, so that equal settings are equal. To add one:
 * a file here and a line in {@link SamplerSettings#STANDARD_ORDER}.
 */
public interface LogitsProcessor {
  /** Edits a row. Must leave at least one candidate, and must not produce NaN. */
  void apply(Logits row, TokenHistory history, RandomGenerator random);
}
