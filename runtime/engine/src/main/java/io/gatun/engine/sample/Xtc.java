package io.gatun.engine.sample;

import java.util.random.RandomGenerator;

/**
 * Excludes top choices: with a probability, drops all but the least of the candidates that reach a
 * threshold, for less predictable text.
 *
 * @param probability how often it acts, 0 never
 * @param threshold above 0.5 it can never act, as only one candidate can reach it
 * @source the method of text-generation-webui's pull request 6335, as in llama.cpp v0.4.0
 */
public record Xtc(float probability, float threshold) implements LogitsProcessor {
  public Xtc {
    Check.within("xtc probability", probability, 0f, 1f);
    Check.within("xtc threshold", threshold, 0f, 1f);
  }

  @Override
  public void apply(Logits row, TokenHistory history, RandomGenerator random) {
    if (probability == 0f || threshold > 0.5f || row.size() < 2) {
      return;
    }
    if (random.nextFloat() > probability) {
      return;
    }
    // Fewer than 1/threshold candidates can reach the threshold.
    row.sort(threshold < 0.001f ? row.size() : (int) (1 / threshold) + 2);
    double wanted = threshold * row.mass();
    float max = row.max();
    int last = 0;
    while (last + 1 < row.size() && Math.exp(row.value(last + 1) - max) >= wanted) {
      last++;
    }
    row.dropFirst(last);
  }
}
