package io.gatun.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import io.gatun.model.chat.ChatMessage.ToolCall;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** LangChain4j's messages as Gatun's. */
final class Messages {
  private Messages() {}

  static List<io.gatun.model.chat.ChatMessage> of(List<ChatMessage> messages) {
    return messages.stream().map(Messages::of).toList();
  }

  private static io.gatun.model.chat.ChatMessage of(ChatMessage message) {
    return switch (message) {
      case SystemMessage system -> io.gatun.model.chat.ChatMessage.system(system.text());
      case UserMessage user -> io.gatun.model.chat.ChatMessage.user(text(user.contents()));
      case AiMessage assistant -> of(assistant);
      case ToolExecutionResultMessage result ->
          io.gatun.model.chat.ChatMessage.tool(
              orEmpty(result.id()), orEmpty(result.toolName()), text(result.contents()));
      default -> throw Failures.unsupported("a message of type " + message.type());
    };
  }

  private static io.gatun.model.chat.ChatMessage of(AiMessage assistant) {
    return io.gatun.model.chat.ChatMessage.assistant(orEmpty(assistant.text()))
        .withReasoning(orEmpty(assistant.thinking()))
        .withToolCalls(assistant.toolExecutionRequests().stream().map(Messages::call).toList());
  }

  private static ToolCall call(ToolExecutionRequest request) {
    String arguments = orEmpty(request.arguments());
    JsonValue value = arguments.isBlank() ? JsonValue.Members.EMPTY : JsonReader.read(arguments);
    if (!(value instanceof JsonValue.Members members)) {
      throw new IllegalArgumentException(
          "the arguments of tool call %s are no JSON object".formatted(request.name()));
    }
    return new ToolCall(orEmpty(request.id()), request.name(), members);
  }

  private static String text(List<Content> contents) {
    List<String> texts = new ArrayList<>();
    for (Content content : contents) {
      if (!(content instanceof TextContent text)) {
        throw Failures.unsupported(
            "content of type " + content.type().name().toLowerCase(Locale.ROOT));
      }
      texts.add(text.text());
    }
    return String.join("\n", texts);
  }

  private static String orEmpty(@Nullable String text) {
    return Objects.requireNonNullElse(text, "");
  }
}
