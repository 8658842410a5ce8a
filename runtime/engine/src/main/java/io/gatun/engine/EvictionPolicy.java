package io.gatun.engine;

/**
 * Says which cached prefixes are worth keeping. The engine drops the one of least worth first, and
 * only those that nothing longer builds on.
 *
 * <pre>{@code
 * EvictionPolicy oldestFirst = prefix -> -prefix.idle();
 * }</pre>
 */
@FunctionalInterface
public interface EvictionPolicy {
  /** How much a prefix is worth, compared with others. Called on the engine's thread. */
  double worth(CachedPrefix prefix);

  /** What was used last is worth most. */
  static EvictionPolicy leastRecentlyUsed() {
    return prefix -> -prefix.idle();
  }

  /**
   * What is used often and dear to compute again is worth most: uses · cost per token / idle time.
   * A token's cost grows with the tokens before it, whose keys it meets.
   *
   * @param depthAtDoubleCost before how many tokens attention costs as much as all else
   * @source GreedyDual-Size-Frequency: Cherkasova, HPL-98-69R1
   */
  static EvictionPolicy costAware(int depthAtDoubleCost) {
    return prefix -> {
      double middle = prefix.before() + prefix.tokens() / 2.0;
      double costPerToken = 1 + middle / depthAtDoubleCost;
      return (1.0 + prefix.uses()) * costPerToken / (1.0 + prefix.idle());
    };
  }

  /**
   * The end of a cached prefix, which could be dropped.
   *
   * @param before tokens before it, which stay
   * @param tokens that would be dropped
   * @param uses by how many requests it was found
   * @param idle how many requests came since it was used last
   */
  record CachedPrefix(int before, int tokens, long uses, long idle) {}
}
