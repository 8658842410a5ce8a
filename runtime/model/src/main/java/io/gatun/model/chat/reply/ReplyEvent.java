package io.gatun.model.chat.reply;

/**
 * What a piece of a reply turned out to be. Texts of one kind, put together in order, give the
 * whole; nothing that was told is taken back.
 */
public sealed interface ReplyEvent {
  /** More of the answer. */
  record Content(String text) implements ReplyEvent {}

  /** More of what the model thinks before it answers. */
  record Reasoning(String text) implements ReplyEvent {}

  /**
   * A tool call begins.
   *
   * @param index 0 for the first call of the reply
   */
  record CallBegun(int index, String name) implements ReplyEvent {}

  /** More of a call's arguments, which are a JSON object when they are complete. */
  record CallArguments(int index, String text) implements ReplyEvent {}

  /** A call is complete, or will not become so: {@link ReplyCall#problem} tells. */
  record CallEnded(int index, ReplyCall call) implements ReplyEvent {}

  /** The same, a call without an id numbered: {@link ReplyCall#numbered}. */
  default ReplyEvent numbered(int before) {
    return this instanceof CallEnded(int index, ReplyCall call)
        ? new CallEnded(index, call.numbered(before + index))
        : this;
  }
}
