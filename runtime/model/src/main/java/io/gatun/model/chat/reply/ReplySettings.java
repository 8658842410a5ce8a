package io.gatun.model.chat.reply;

import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.ToolDefinition;
import java.util.List;
import java.util.Optional;

/**
 * What is looked for in a reply.
 *
 * @param tools that the model may call; without any, what looks like a call is content
 * @param separateReasoning whether reasoning is kept out of the content
 * @param begun the message that the reply goes on with, for a prompt that ends in the middle of one
 */
public record ReplySettings(
    List<ToolDefinition> tools, boolean separateReasoning, Optional<ChatMessage> begun) {
  public ReplySettings {
    tools = List.copyOf(tools);
  }

  /** A reply of its own, its reasoning apart. */
  public static ReplySettings of(List<ToolDefinition> tools) {
    return new ReplySettings(tools, true, Optional.empty());
  }

  public ReplySettings withSeparateReasoning(boolean separate) {
    return new ReplySettings(tools, separate, begun);
  }

  public ReplySettings withBegun(ChatMessage message) {
    return new ReplySettings(tools, separateReasoning, Optional.of(message));
  }
}
