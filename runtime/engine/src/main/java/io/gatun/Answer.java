package io.gatun;

import io.gatun.engine.FinishReason;
import io.gatun.engine.Usage;
import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.reply.Reply;

/** A finished answer of an assistant, why it ended and what it took. */
public record Answer(Reply reply, FinishReason finishReason, Usage usage) {
  /** What was answered, without reasoning and tool calls. */
  public String text() {
    return reply.content();
  }

  /** The answer as a message, for the conversation to go on with. */
  public ChatMessage message() {
    return reply.message();
  }
}
