package io.gatun.engine;

import java.util.BitSet;

/**
 * Says what a sequence forgets when it has no room for another token, so that it goes on beyond the
 * context. What is behind moves to the places of what went: keys are turned to their new positions,
 * as {@link KvSequence#remove} does, and all else of them still knows what was forgotten.
 *
 * <p>A policy sees the tokens that are computed, counted from the first one that is still there.
 * Rows that prefixes and soft prompts put before them always stay. It is asked before a step, on
 * the engine's thread, and must give the same answer to the same question.
 *
 * <pre>{@code
 * ContextPolicy forgetFirst = past -> {
 *   BitSet gone = new BitSet();
 *   gone.set(0, past.surplus());
 *   return gone;
 * };
 * }</pre>
 *
 * <p>A new one is a file like {@link ContextShift} and a line in {@link ContextPolicies}.
 */
@FunctionalInterface
public interface ContextPolicy {
  /**
   * Which tokens go, at least {@link Past#surplus} of them; when fewer do, the generation ends with
   * {@link FinishReason#CONTEXT_FULL}.
   */
  BitSet forget(Past past);

  /** The most tokens that have cells at once, if that is less than the context. */
  default int tokensMax() {
    return Integer.MAX_VALUE;
  }

  /** Whether it ever forgets anything. */
  default boolean forgets() {
    return true;
  }

  /** Whether it looks at {@link Past#weights}, which cost something to measure. */
  default boolean weighs() {
    return false;
  }

  /** Nothing is forgotten: a full context ends the generation. */
  static ContextPolicy stop() {
    return new StopWhenFull();
  }

  /** {@link ContextShift}: half of what is behind the first tokens goes. */
  static ContextPolicy shift(int keep) {
    return new ContextShift(keep);
  }

  /** {@link AttentionSinks}: the first tokens and a window of the last ones stay. */
  static ContextPolicy sinks(int sinks, int window) {
    return new AttentionSinks(sinks, window);
  }

  /** {@link HeavyHitters}: besides first and last tokens those stay that got most attention. */
  static ContextPolicy heavy(int sinks, int tokens) {
    return new HeavyHitters(sinks, tokens);
  }

  /**
   * A policy by its name, with numbers behind a colon if the usual ones do not fit: {@code stop},
   * {@code shift:KEEP}, {@code sinks:SINKS,WINDOW}, {@code heavy:SINKS,TOKENS}.
   *
   * @throws IllegalArgumentException when there is none of that name
   */
  static ContextPolicy named(String text) {
    return ContextPolicies.named(text);
  }

  /**
   * What a policy chooses from.
   *
   * @param tokens how many are computed
   * @param most how many there may be; fewer have to be left, so that the next one has room
   * @param weights how much attention each has got so far, the mean over heads and layers summed
   *     over some of the later tokens; empty unless the policy {@link ContextPolicy#weighs}
   */
  record Past(int tokens, int most, float[] weights) {
    /** A past without weights. */
    public Past(int tokens, int most) {
      this(tokens, most, new float[0]);
    }

    /** How many have to go at least. */
    public int surplus() {
      return Math.max(0, tokens - most + 1);
    }
  }
}
