package io.gatun.server.openai;

import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.ChatMessage.ToolCall;
import io.gatun.model.json.JsonValue;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.Fields;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads the input of a response: a text, or items that are messages, calls and their results. */
final class ResponseInput {
  private static final int ITEMS_MAX = 10_000;
  private static final int PARTS_MAX = 1000;

  /** Names of the tools that were called so far, by the calls' ids. */
  private final Map<String, String> called = new HashMap<>();

  private final List<ChatMessage> messages = new ArrayList<>();

  private ResponseInput() {}

  static List<ChatMessage> read(Fields body) {
    JsonValue input = body.any("input").orElseThrow(() -> body.missing("input"));
    if (input instanceof JsonValue.Text(String text)) {
      return List.of(ChatMessage.user(text));
    }
    ResponseInput reader = new ResponseInput();
    int at = 0;
    for (JsonValue item : Fields.items(input, "input", ITEMS_MAX)) {
      Fields fields = Fields.of(item, "input[%d]".formatted(at++)).ignore("id", "status");
      reader.item(fields);
      fields.end();
    }
    if (reader.messages.isEmpty()) {
      throw body.missing("input");
    }
    return reader.messages;
  }

  private void item(Fields fields) {
    String type = fields.text("type").orElse("message");
    switch (type) {
      case "message" -> messages.add(message(fields));
      case "function_call" -> call(fields);
      case "function_call_output" -> messages.add(result(fields));
      case "reasoning" -> // what it thought before is not shown to the model again
          fields.ignore("summary", "content", "encrypted_content");
      default ->
          throw ApiException.field(
              fields.path("type"),
              "must be message, function_call, function_call_output or reasoning");
    }
  }

  private static ChatMessage message(Fields fields) {
    fields.ignore("phase");
    String role = fields.requiredText("role");
    JsonValue content = fields.any("content").orElseThrow(() -> fields.missing("content"));
    String text = text(content, fields.path("content"));
    return switch (role) {
      case "system", "developer" -> ChatMessage.system(text);
      case "user" -> ChatMessage.user(text);
      case "assistant" -> ChatMessage.assistant(text);
      default ->
          throw ApiException.field(
              fields.path("role"), "must be system, developer, user or assistant");
    };
  }

  /** Calls that follow each other, or a text of the assistant's, are one message. */
  private void call(Fields fields) {
    String id = fields.requiredText("call_id");
    String name = fields.requiredText("name");
    JsonValue.Members arguments =
        MessageFields.arguments(fields.requiredText("arguments"), fields.path("arguments"));
    called.put(id, name);
    ChatMessage last =
        messages.isEmpty() || messages.getLast().role() != ChatMessage.Role.ASSISTANT
            ? ChatMessage.assistant("")
            : messages.removeLast();
    List<ToolCall> calls = new ArrayList<>(last.toolCalls());
    calls.add(new ToolCall(id, name, arguments));
    messages.add(last.withToolCalls(calls));
  }

  private ChatMessage result(Fields fields) {
    String id = fields.requiredText("call_id");
    String name = called.get(id);
    if (name == null) {
      throw ApiException.field(fields.path("call_id"), "no item before has a call of this id");
    }
    JsonValue output = fields.any("output").orElseThrow(() -> fields.missing("output"));
    return ChatMessage.tool(id, name, text(output, fields.path("output")));
  }

  private static String text(JsonValue content, String path) {
    if (content instanceof JsonValue.Text(String text)) {
      return text;
    }
    StringBuilder text = new StringBuilder();
    int at = 0;
    for (JsonValue item : Fields.items(content, path, PARTS_MAX)) {
      Fields part = Fields.of(item, "%s[%d]".formatted(path, at++));
      String type = part.requiredText("type");
      if (!type.equals("input_text") && !type.equals("output_text") && !type.equals("text")) {
        throw ApiException.field(part.path("type"), "must be a text; the model reads nothing else");
      }
      text.append(part.requiredText("text"));
      part.ignore("annotations", "logprobs").end();
    }
    return text.toString();
  }
}
