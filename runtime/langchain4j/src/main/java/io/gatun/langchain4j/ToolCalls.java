package io.gatun.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.internal.JsonSchemaElementJsonUtils;
import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyCall;
import io.gatun.model.json.JsonValue;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Tools and their calls, from and to LangChain4j. */
final class ToolCalls {
  private ToolCalls() {}

  static List<ToolDefinition> definitions(@Nullable List<ToolSpecification> tools) {
    return tools == null ? List.of() : tools.stream().map(ToolCalls::definition).toList();
  }

  private static ToolDefinition definition(ToolSpecification tool) {
    JsonValue.Members parameters =
        tool.parameters() == null
            ? Schemas.of(Map.of("type", "object", "properties", Map.of()))
            : Schemas.of(JsonSchemaElementJsonUtils.toMap(tool.parameters()));
    return new ToolDefinition(
        tool.name(), Objects.requireNonNullElse(tool.description(), ""), parameters);
  }

  static ToolExecutionRequest of(ReplyCall call) {
    return ToolExecutionRequest.builder()
        .id(call.id())
        .name(call.name())
        .arguments(call.arguments())
        .build();
  }

  /** Broken calls go along too: LangChain4j reports them to the model where it can. */
  static AiMessage message(Reply reply) {
    AiMessage.Builder message = AiMessage.builder();
    if (!reply.content().isEmpty() || reply.calls().isEmpty()) {
      message.text(reply.content());
    }
    if (!reply.reasoning().isEmpty()) {
      message.thinking(reply.reasoning());
    }
    return message
        .toolExecutionRequests(reply.calls().stream().map(ToolCalls::of).toList())
        .build();
  }
}
