package io.gatun.engine.sample;

import java.util.Map;
import java.util.random.RandomGenerator;

/** Adds to the logits of given tokens; −∞ forbids one. */
public record LogitBias(Map<Integer, Float> biases) implements LogitsProcessor {
  public LogitBias {
    biases = Map.copyOf(biases);
    biases.forEach((token, bias) -> {
      if (token < 0 || Float.isNaN(bias) || bias == Float.POSITIVE_INFINITY) {
        throw new IllegalArgumentException("logit bias of token %d is %s".formatted(token, bias));
      }
    });
  }

  @Override
  public void apply(Logits row, TokenHistory history, RandomGenerator random) {
    biases.forEach((token, bias) -> {
      int i = row.indexOf(token);
      if (i >= 0) {
        row.set(i, row.value(i) + bias);
      }
    });
  }
}
