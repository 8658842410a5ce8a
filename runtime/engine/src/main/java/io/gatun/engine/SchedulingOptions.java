package io.gatun.engine;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * How an engine shares its steps.
 *
 * @param queueMax the most requests that wait; further ones are refused with {@link
 *     QueueFullException}
 * @param stallMax about the longest that a step may take while somebody reads a stream: prompts are
 *     computed in smaller chunks beside it; none for chunks as large as the batch
 * @param weights shares of tenants; 1 for those that are not named
 */
public record SchedulingOptions(
    int queueMax, Optional<Duration> stallMax, Map<String, Double> weights) {
  public SchedulingOptions {
    if (queueMax < 0) {
      throw new IllegalArgumentException("queueMax must not be negative, got " + queueMax);
    }
    stallMax
        .filter(time -> time.isNegative() || time.isZero())
        .ifPresent(time -> {
          throw new IllegalArgumentException("stallMax must be positive, got " + time);
        });
    weights = Map.copyOf(weights);
    weights.forEach((tenant, weight) -> {
      if (!(weight > 0 && weight < 1e9)) {
        throw new IllegalArgumentException(
            "the weight of %s must be positive, got %s".formatted(tenant, weight));
      }
    });
  }

  /** No limits, all tenants alike. */
  public static SchedulingOptions defaults() {
    return new SchedulingOptions(Integer.MAX_VALUE, Optional.empty(), Map.of());
  }

  public SchedulingOptions withQueueMax(int requests) {
    return new SchedulingOptions(requests, stallMax, weights);
  }

  public SchedulingOptions withStallMax(Duration time) {
    return new SchedulingOptions(queueMax, Optional.of(time), weights);
  }

  public SchedulingOptions withWeights(Map<String, Double> shares) {
    return new SchedulingOptions(queueMax, stallMax, shares);
  }
}
