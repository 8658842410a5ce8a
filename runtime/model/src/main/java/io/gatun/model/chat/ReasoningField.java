package io.gatun.model.chat;

import java.util.List;
import java.util.regex.Pattern;

/**
 * Under which name a template looks for an assistant's reasoning.
 *
 * @param name of the message's member
 * @param alone whether a message with tool calls may not have content besides, as for gpt-oss
 */
record ReasoningField(String name, boolean alone) {
  /** The most common first: some templates know several. */
  private static final List<String> NAMES =
      List.of("reasoning_content", "thinking", "reasoning", "thought");

  /** The name in a template's source; the common one where there is none. */
  static ReasoningField of(String template) {
    String name =
        NAMES.stream()
            .filter(n ->
                Pattern.compile("(message|msg)(\\.|\\[['\"])" + n + "\\b").matcher(template).find())
            .findFirst()
            .orElse(NAMES.getFirst());
    return new ReasoningField(name, template.contains("both content and thinking"));
  }

  /** The message as the template takes it; nothing of it is lost. */
  ChatMessage fitting(ChatMessage message) {
    if (!alone || message.toolCalls().isEmpty() || message.reasoning().isEmpty()) {
      return message;
    }
    String said = message.content().isEmpty() ? "" : "\n\n" + message.content();
    return message.withReasoning(message.reasoning() + said).withContent("");
  }
}
