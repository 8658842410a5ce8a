package io.gatun.engine;

import java.util.List;

/**
 * A chosen token.
 *
 * @param logprob natural logarithm of its probability before any processing; NaN unless asked for
 * @param top the best tokens at this place, best first; empty unless asked for
 */
public record GeneratedToken(int id, float logprob, List<Alternative> top) {
  /** A token that could have been chosen. */
  public record Alternative(int id, float logprob) {}
}
