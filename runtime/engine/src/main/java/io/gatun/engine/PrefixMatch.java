package io.gatun.engine;

/**
 * How much of a prompt is cached, and why not more.
 *
 * @param promptTokens of the prompt, with the rows that adapters put before it
 * @param cachedTokens of them that need not be computed
 * @param reason why the next one is not cached
 * @param detail the same for people
 */
public record PrefixMatch(int promptTokens, int cachedTokens, Reason reason, String detail) {
  /** Why a prompt was not found any further. */
  public enum Reason {
    /** All but the last token, which is always computed for its logits. */
    COMPLETE,
    /** The engine keeps no prefixes. */
    OFF,
    /** Nothing with this beginning was computed yet. */
    NEW,
    /** What is cached goes on with another token. */
    DIVERGES,
    /** What is cached ends here. */
    ENDS,
    /** More was computed, but with other adapters. */
    OTHER_ADAPTERS,
    /** More was cached once, but had to make room. */
    EVICTED,
    /** More is cached, but layers with a window no longer hold what the next token sees. */
    WINDOW_GONE
  }
}
