package io.gatun;

/** Receives a text as it is generated; called from one thread, in order. */
public interface TextListener {
  /** The next piece: whole characters, never empty. */
  void onText(String piece);

  /** The end; nothing follows. */
  default void onComplete(Completion completion) {}

  /** The end by a failure, including one that this listener threw; nothing follows. */
  default void onError(Throwable failure) {}
}
