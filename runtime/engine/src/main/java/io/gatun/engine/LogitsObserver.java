package io.gatun.engine;

/**
 * Sees logits before a token is chosen from them. Called on the engine's thread, so it must be
 * quick; what it throws ends the request.
 */
@FunctionalInterface
public interface LogitsObserver {
  /**
   * Called for each row.
   *
   * @param position of the token whose successor these logits rate; what a {@link ContextPolicy}
   *     let go counts too, so that it is the place in the text
   * @param logits [V], valid during the call; the array may be longer
   */
  void observe(int position, float[] logits, int count);

  /** Whether the prompt's rows are wanted as well, not only its last. */
  default boolean everyRow() {
    return false;
  }
}
