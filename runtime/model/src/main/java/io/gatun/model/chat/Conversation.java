package io.gatun.model.chat;

import io.gatun.model.json.JsonValue;
import java.util.List;
import java.util.Map;

/**
 * What a prompt is made from.
 *
 * @param messages in order, at least one
 * @param tools that the assistant may call
 * @param beginAnswer whether the prompt ends where the assistant begins to speak
 * @param variables of some templates, such as {@code enable_thinking}
 */
public record Conversation(
    List<ChatMessage> messages,
    List<ToolDefinition> tools,
    boolean beginAnswer,
    Map<String, JsonValue> variables) {
  public Conversation {
    messages = List.copyOf(messages);
    tools = List.copyOf(tools);
    variables = Map.copyOf(variables);
    if (messages.isEmpty()) {
      throw new IllegalArgumentException("a conversation needs a message");
    }
  }

  /** Messages that the assistant shall answer. */
  public static Conversation of(List<ChatMessage> messages) {
    return new Conversation(messages, List.of(), true, Map.of());
  }

  public Conversation withMessages(List<ChatMessage> other) {
    return new Conversation(other, tools, beginAnswer, variables);
  }

  public Conversation withTools(List<ToolDefinition> other) {
    return new Conversation(messages, other, beginAnswer, variables);
  }

  public Conversation withBeginAnswer(boolean begin) {
    return new Conversation(messages, tools, begin, variables);
  }

  public Conversation withVariables(Map<String, JsonValue> other) {
    return new Conversation(messages, tools, beginAnswer, other);
  }
}
