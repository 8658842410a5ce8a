package io.gatun.engine;

/** Why a completion ended. */
public enum FinishReason {
  /** The model produced an end-of-generation token. */
  STOP,
  /** A stop text of the request appeared. */
  STOP_TEXT,
  /** The request's token limit was reached. */
  LENGTH,
  /** The context has no room for another token, and no {@link ContextPolicy} makes some. */
  CONTEXT_FULL,
  /** The request's deadline passed. */
  DEADLINE,
  /** The caller cancelled. */
  CANCELLED
}
