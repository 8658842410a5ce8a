package io.gatun;

import io.gatun.model.chat.reply.ReplyCall;

/** Receives an answer as it is generated; called from one thread, in order. */
public interface AnswerListener {
  /** The next piece of the answer itself: whole characters, never empty. */
  void onText(String piece);

  /** The next piece of what the model thinks before it answers. */
  default void onReasoning(String piece) {}

  /** A tool call is complete, or broken: {@link ReplyCall#problem}. */
  default void onToolCall(ReplyCall call) {}

  /** The end; nothing follows. */
  default void onComplete(Answer answer) {}

  /** The end by a failure, including one that this listener threw; nothing follows. */
  default void onError(Throwable failure) {}
}
