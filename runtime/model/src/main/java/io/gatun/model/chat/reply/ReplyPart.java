package io.gatun.model.chat.reply;

/** A part of a reply that takes what belongs to it from the text. */
interface ReplyPart {
  /**
   * Takes what is certainly its own.
   *
   * @return the part that reads on; itself when it waits for more text
   */
  ReplyPart read(ReplyScope scope);

  /** The text has ended, and {@link #read} can take no more of it. */
  default void end(ReplyScope scope) {}
}
