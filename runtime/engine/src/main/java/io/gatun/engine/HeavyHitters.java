package io.gatun.engine;

import java.util.BitSet;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Keeps the first tokens, the last ones, and of those between the ones that got most attention so
 * far. An eighth goes at once, so that keys are turned once in so many tokens.
 *
 * <p>All heads and layers keep the same tokens, as a cell holds those of all of them; in the paper
 * each head has its own.
 *
 * @param sinks how many stay at the beginning
 * @param tokens how many others there are at most, {@link Integer#MAX_VALUE} for what the context
 *     holds; the last half of them stays whatever attention it got
 * @source H2O: Zhang et al. 2023, arXiv 2306.14048
 */
public record HeavyHitters(int sinks, int tokens) implements ContextPolicy {
  /** One in so many tokens goes at once. */
  private static final int BLOCKS = 8;

  public HeavyHitters {
    ContextPolicies.require("sinks", sinks, 0);
    ContextPolicies.require("tokens", tokens, 2);
  }

  static ContextPolicy read(int... numbers) {
    return new HeavyHitters(
        ContextPolicies.at(numbers, 0, AttentionSinks.SINKS_DEFAULT),
        ContextPolicies.at(numbers, 1, Integer.MAX_VALUE));
  }

  @Override
  public int tokensMax() {
    return (int) Math.min(Integer.MAX_VALUE, (long) sinks + tokens);
  }

  @Override
  public boolean weighs() {
    return true;
  }

  @Override
  public BitSet forget(Past past) {
    int count = Math.max(Math.max(1, (past.most() - sinks) / BLOCKS), past.surplus());
    int recent = past.tokens() - (past.most() - sinks) / 2;
    // Where more has to go than lies between, the oldest of the last ones compete too.
    int end = Math.min(past.tokens() - 1, Math.max(recent, sinks + count));
    BitSet gone = new BitSet();
    IntStream.range(sinks, Math.max(sinks, end))
        .boxed()
        .sorted(Comparator.comparingDouble(token -> past.weights()[token]))
        .limit(count)
        .forEach(gone::set);
    return gone;
  }
}
