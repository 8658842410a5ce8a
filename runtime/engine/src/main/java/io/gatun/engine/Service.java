package io.gatun.engine;

import java.time.Duration;
import java.util.Optional;

/**
 * How a request is served beside others.
 *
 * @param priority higher ones go first, and take the place of running lower ones
 * @param tenant whose it is: tenants with requests of the same priority share by their weights
 * @param deadline how long after it was submitted it ends, with what it has by then
 */
public record Service(int priority, String tenant, Optional<Duration> deadline) {
  /** A century: beyond that, nanoseconds overflow. */
  private static final Duration DEADLINE_MAX = Duration.ofDays(36500);

  public Service {
    deadline.ifPresent(Service::requirePositive);
  }

  private static void requirePositive(Duration time) {
    if (time.isNegative() || time.isZero() || time.compareTo(DEADLINE_MAX) > 0) {
      throw new IllegalArgumentException("a deadline must be positive, got " + time);
    }
  }

  /** Priority 0, no tenant's, no deadline. */
  public static Service ordinary() {
    return new Service(0, "", Optional.empty());
  }

  public Service withPriority(int other) {
    return new Service(other, tenant, deadline);
  }

  public Service withTenant(String name) {
    return new Service(priority, name, deadline);
  }

  public Service withDeadline(Duration time) {
    return new Service(priority, tenant, Optional.of(time));
  }
}
