package io.gatun.engine;

import java.util.BitSet;

/**
 * Keeps the first tokens, where heads put the attention that they need not, and a window of the
 * last ones. The oldest of the window go an eighth at a time, so that keys are turned once in so
 * many tokens and not at each of them: there are between 7/8 of a window and a window.
 *
 * @param sinks how many stay at the beginning; four do for most models
 * @param window how many others there are at most, {@link Integer#MAX_VALUE} for what the context
 *     holds
 * @source StreamingLLM: Xiao et al. 2023, arXiv 2309.17453
 */
public record AttentionSinks(int sinks, int window) implements ContextPolicy {
  static final int SINKS_DEFAULT = 4;

  /** One in so many tokens of a window goes at once. */
  private static final int BLOCKS = 8;

  public AttentionSinks {
    ContextPolicies.require("sinks", sinks, 0);
    ContextPolicies.require("window", window, 2);
  }

  static ContextPolicy read(int... numbers) {
    return new AttentionSinks(
        ContextPolicies.at(numbers, 0, SINKS_DEFAULT),
        ContextPolicies.at(numbers, 1, Integer.MAX_VALUE));
  }

  @Override
  public int tokensMax() {
    return (int) Math.min(Integer.MAX_VALUE, (long) sinks + window);
  }

  @Override
  public BitSet forget(Past past) {
    int block = Math.max(1, (past.most() - sinks) / BLOCKS);
    return ContextPolicies.behind(sinks, Math.max(block, past.surplus()), past.tokens());
  }
}
