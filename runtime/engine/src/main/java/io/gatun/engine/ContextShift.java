package io.gatun.engine;

import java.util.BitSet;

/**
 * Keeps the first tokens and forgets the older half of all others whenever the context is full.
 *
 * @param keep how many stay at the beginning; when they are all, a full context ends the generation
 * @source llama.cpp v0.4.0, tools/main: its context shift
 */
public record ContextShift(int keep) implements ContextPolicy {
  /** What {@code shift} alone keeps: enough for attention that has to go somewhere. */
  static final int KEEP_DEFAULT = 4;

  public ContextShift {
    ContextPolicies.require("keep", keep, 0);
  }

  static ContextPolicy read(int... numbers) {
    return new ContextShift(ContextPolicies.at(numbers, 0, KEEP_DEFAULT));
  }

  @Override
  public BitSet forget(Past past) {
    int half = (past.tokens() - keep) / 2;
    return ContextPolicies.behind(keep, Math.max(half, past.surplus()), past.tokens());
  }
}
