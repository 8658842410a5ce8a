package io.gatun.server.anthropic;

import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.ChatMessage.ToolCall;
import io.gatun.model.json.JsonValue;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.Fields;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads messages whose contents are blocks: texts, thoughts, calls of tools and their results. */
final class MessageBlocks {
  private static final int MESSAGES_MAX = 10_000;
  private static final int BLOCKS_MAX = 1000;

  /** Names of the tools that were called so far, by the calls' ids. */
  private final Map<String, String> called = new HashMap<>();

  private final List<ChatMessage> messages = new ArrayList<>();

  private MessageBlocks() {}

  static List<ChatMessage> read(Fields body) {
    MessageBlocks reader = new MessageBlocks();
    body.any("system")
        .ifPresent(
            system -> reader.messages.add(ChatMessage.system(text(system, body.path("system")))));
    List<JsonValue> items = body.items("messages", MESSAGES_MAX);
    if (items.isEmpty()) {
      throw body.missing("messages");
    }
    for (int i = 0; i < items.size(); i++) {
      reader.message(Fields.of(items.get(i), "messages[%d]".formatted(i)));
    }
    return reader.messages;
  }

  private void message(Fields fields) {
    String role = fields.requiredText("role");
    JsonValue content = fields.any("content").orElseThrow(() -> fields.missing("content"));
    String path = fields.path("content");
    switch (role) {
      case "user" -> user(content, path);
      case "assistant" -> assistant(content, path);
      default -> throw ApiException.field(fields.path("role"), "must be user or assistant");
    }
    fields.end();
  }

  /** Results of tools become messages of their own, before what the user says. */
  private void user(JsonValue content, String path) {
    StringBuilder said = new StringBuilder();
    int results = 0;
    for (Fields block : blocks(content, path)) {
      String type = block.requiredText("type");
      if (type.equals("tool_result")) {
        messages.add(result(block));
        results++;
      } else {
        said.append(textBlock(block, type));
      }
      block.end();
    }
    if (!said.isEmpty() || results == 0) {
      messages.add(ChatMessage.user(said.toString()));
    }
  }

  private ChatMessage result(Fields block) {
    block.ignore("is_error", "cache_control");
    String id = block.requiredText("tool_use_id");
    String name = called.get(id);
    if (name == null) {
      throw ApiException.field(
          block.path("tool_use_id"), "no message of the assistant before has a call of this id");
    }
    String text = block.any("content").map(c -> text(c, block.path("content"))).orElse("");
    return ChatMessage.tool(id, name, text);
  }

  private void assistant(JsonValue content, String path) {
    StringBuilder said = new StringBuilder();
    StringBuilder thought = new StringBuilder();
    List<ToolCall> calls = new ArrayList<>();
    for (Fields block : blocks(content, path)) {
      String type = block.requiredText("type");
      switch (type) {
        case "thinking" -> {
          block.ignore("signature");
          thought.append(block.requiredText("thinking"));
        }
        case "tool_use" -> calls.add(call(block));
        default -> said.append(textBlock(block, type));
      }
      block.end();
    }
    messages.add(
        ChatMessage.assistant(said.toString())
            .withReasoning(thought.toString())
            .withToolCalls(calls));
  }

  private ToolCall call(Fields block) {
    block.ignore("cache_control");
    String id = block.requiredText("id");
    String name = block.requiredText("name");
    called.put(id, name);
    Optional<JsonValue.Members> input = block.members("input");
    return new ToolCall(id, name, input.orElse(JsonValue.Members.EMPTY));
  }

  /** A text, or blocks that are texts. */
  private static String text(JsonValue value, String path) {
    StringBuilder text = new StringBuilder();
    for (Fields block : blocks(value, path)) {
      text.append(textBlock(block, block.requiredText("type")));
      block.end();
    }
    return text.toString();
  }

  private static List<Fields> blocks(JsonValue value, String path) {
    if (value instanceof JsonValue.Text) {
      JsonValue.Members alone =
          JsonValue.Members.EMPTY.with("type", JsonValue.of("text")).with("text", value);
      return List.of(Fields.of(alone, path));
    }
    List<Fields> blocks = new ArrayList<>();
    for (JsonValue item : Fields.items(value, path, BLOCKS_MAX)) {
      blocks.add(Fields.of(item, "%s[%d]".formatted(path, blocks.size())));
    }
    return blocks;
  }

  private static String textBlock(Fields block, String type) {
    if (!type.equals("text")) {
      throw ApiException.field(
          block.path("type"), "must be text; the model reads nothing else here");
    }
    block.ignore("cache_control", "citations");
    return block.requiredText("text");
  }
}
