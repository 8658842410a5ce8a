package io.gatun.engine;

import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Whose turn it is: higher priorities first, then earlier deadlines, then tenants that had less
 * than their share, then whoever came first. A tenant's share is counted in computed rows over its
 * weight, as in fair queueing by virtual time (Demers, Keshav and Shenker 1989); who was away gains
 * nothing by it.
 *
 * @owner the engine's thread
 */
final class Turns {
  private static final double WEIGHT_DEFAULT = 1;

  private final Map<String, Double> weights;
  private final Map<String, Double> served = new HashMap<>();
  private final Comparator<Sequence> order =
      Comparator.<Sequence>comparingInt(s -> s.request().service().priority())
          .reversed()
          .thenComparingLong(Sequence::deadline)
          .thenComparingDouble(s -> served.getOrDefault(tenant(s), 0.0))
          .thenComparingLong(Sequence::number);

  Turns(Map<String, Double> weights) {
    this.weights = weights;
  }

  /** A sequence has come; a tenant that had none begins where the others are. */
  void arrived(Sequence sequence, List<Sequence> others) {
    String tenant = tenant(sequence);
    if (others.stream().noneMatch(o -> tenant(o).equals(tenant))) {
      double least =
          others.stream().mapToDouble(o -> served.getOrDefault(tenant(o), 0.0)).min().orElse(0);
      served.merge(tenant, least, Math::max);
      served.keySet().removeIf(name -> others.isEmpty() && !name.equals(tenant));
    }
  }

  /** Rows were computed. */
  void charge(Sequence sequence, int rows) {
    String tenant = tenant(sequence);
    served.merge(tenant, rows / weights.getOrDefault(tenant, WEIGHT_DEFAULT), Double::sum);
  }

  Sequence first(Collection<Sequence> sequences) {
    return sequences.stream().min(order).orElseThrow();
  }

  /** The last one. */
  Sequence last(Collection<Sequence> sequences) {
    return sequences.stream().max(order).orElseThrow();
  }

  List<Sequence> sorted(Collection<Sequence> sequences) {
    return sequences.stream().sorted(order).toList();
  }

  private static String tenant(Sequence sequence) {
    return sequence.request().service().tenant();
  }
}
