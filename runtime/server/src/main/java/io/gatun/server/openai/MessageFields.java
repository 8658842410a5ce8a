package io.gatun.server.openai;

import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.ChatMessage.ToolCall;
import io.gatun.model.json.JsonException;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.Fields;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads the messages of a chat completion. */
final class MessageFields {
  private static final int MESSAGES_MAX = 10_000;
  private static final int PARTS_MAX = 1000;
  private static final int CALLS_MAX = 128;

  /** Names of the tools that were called so far, by the calls' ids. */
  private final Map<String, String> called = new HashMap<>();

  private MessageFields() {}

  static List<ChatMessage> read(Fields body) {
    List<JsonValue> items = body.items("messages", MESSAGES_MAX);
    if (items.isEmpty()) {
      throw body.missing("messages");
    }
    MessageFields reader = new MessageFields();
    List<ChatMessage> messages = new ArrayList<>();
    for (JsonValue item : items) {
      messages.add(reader.message(Fields.of(item, "messages[%d]".formatted(messages.size()))));
    }
    return messages;
  }

  private ChatMessage message(Fields fields) {
    fields.ignore("name", "refusal", "annotations", "audio");
    String role = fields.requiredText("role");
    ChatMessage message =
        switch (role) {
          case "system", "developer" -> ChatMessage.system(content(fields, true));
          case "user" -> ChatMessage.user(content(fields, true));
          case "assistant" -> assistant(fields);
          case "tool" -> tool(fields);
          default ->
              throw ApiException.field(
                  fields.path("role"), "must be system, developer, user, assistant or tool");
        };
    fields.end();
    return message;
  }

  private ChatMessage assistant(Fields fields) {
    List<ToolCall> calls = new ArrayList<>();
    for (JsonValue item : fields.items("tool_calls", CALLS_MAX)) {
      calls.add(
          call(
              Fields.of(item, "%s[%d]".formatted(fields.path("tool_calls"), calls.size()))
                  .ignore("index")));
    }
    return ChatMessage.assistant(content(fields, calls.isEmpty()))
        .withReasoning(fields.text("reasoning_content").orElse(""))
        .withToolCalls(calls);
  }

  private ToolCall call(Fields fields) {
    fields.only("type", JsonValue.of("function"), "must be function");
    String id = fields.requiredText("id");
    Fields function = fields.object("function").orElseThrow(() -> fields.missing("function"));
    String name = function.requiredText("name");
    JsonValue.Members arguments =
        arguments(function.requiredText("arguments"), function.path("arguments"));
    function.end();
    fields.end();
    called.put(id, name);
    return new ToolCall(id, name, arguments);
  }

  static JsonValue.Members arguments(String json, String path) {
    try {
      if (json.isBlank()) {
        return JsonValue.Members.EMPTY;
      }
      if (JsonReader.read(json) instanceof JsonValue.Members members) {
        return members;
      }
    } catch (JsonException e) {
      throw ApiException.field(path, "is no JSON: " + e.getMessage());
    }
    throw ApiException.field(path, "must be the text of a JSON object");
  }

  private ChatMessage tool(Fields fields) {
    String id = fields.requiredText("tool_call_id");
    String name = called.get(id);
    if (name == null) {
      throw ApiException.field(
          fields.path("tool_call_id"), "no message of the assistant before has a call of this id");
    }
    return ChatMessage.tool(id, name, content(fields, true));
  }

  /** A text, or parts that are texts. */
  private static String content(Fields fields, boolean required) {
    Optional<JsonValue> content = fields.any("content");
    if (content.isEmpty()) {
      if (required) {
        throw fields.missing("content");
      }
      return "";
    }
    if (content.get() instanceof JsonValue.Text(String text)) {
      return text;
    }
    String path = fields.path("content");
    StringBuilder text = new StringBuilder();
    int at = 0;
    for (JsonValue part : Fields.items(content.get(), path, PARTS_MAX)) {
      text.append(part(Fields.of(part, "%s[%d]".formatted(path, at++))));
    }
    return text.toString();
  }

  private static String part(Fields part) {
    String type = part.requiredText("type");
    if (!type.equals("text")) {
      throw ApiException.field(part.path("type"), "must be text; the model reads nothing else");
    }
    String text = part.requiredText("text");
    part.ignore("cache_control").end();
    return text;
  }
}
