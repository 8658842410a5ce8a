package io.gatun.model.chat;

import io.gatun.model.json.JsonValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * One message of a conversation.
 *
 * @param role who speaks
 * @param content the text; empty where the assistant only calls tools
 * @param reasoning what the assistant thought before, empty for nothing
 * @param toolCalls what the assistant asks for
 * @param tool which call a tool's message answers
 */
public record ChatMessage(
    Role role,
    String content,
    String reasoning,
    List<ToolCall> toolCalls,
    Optional<Answered> tool) {

  /** Who speaks. */
  public enum Role {
    SYSTEM,
    USER,
    ASSISTANT,
    TOOL;

    /** The name in templates. */
    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * A call of a tool.
   *
   * @param id by which its answer names it
   * @param arguments a JSON object
   */
  public record ToolCall(String id, String name, JsonValue.Members arguments) {}

  /** The call that a tool's message answers. */
  public record Answered(String id, String name) {}

  public ChatMessage {
    toolCalls = List.copyOf(toolCalls);
    if (!toolCalls.isEmpty() && role != Role.ASSISTANT) {
      throw new IllegalArgumentException("only the assistant calls tools, not " + role);
    }
    if (tool.isPresent() != (role == Role.TOOL)) {
      throw new IllegalArgumentException(
          "a tool's message, and no other, names the call it answers");
    }
  }

  public static ChatMessage system(String text) {
    return of(Role.SYSTEM, text);
  }

  public static ChatMessage user(String text) {
    return of(Role.USER, text);
  }

  public static ChatMessage assistant(String text) {
    return of(Role.ASSISTANT, text);
  }

  /**
   * A message by the name of its role.
   *
   * @throws IllegalArgumentException when there is no such role
   */
  public static ChatMessage of(String role, String text) {
    for (Role known : Role.values()) {
      if (known.label().equals(role) && known != Role.TOOL) {
        return of(known, text);
      }
    }
    throw new IllegalArgumentException(
        "\"%s\" is no role; system, user and assistant are".formatted(role));
  }

  /** What a tool gave. */
  public static ChatMessage tool(String id, String name, String text) {
    return new ChatMessage(Role.TOOL, text, "", List.of(), Optional.of(new Answered(id, name)));
  }

  private static ChatMessage of(Role role, String text) {
    return new ChatMessage(role, text, "", List.of(), Optional.empty());
  }

  public ChatMessage withContent(String text) {
    return new ChatMessage(role, text, reasoning, toolCalls, tool);
  }

  public ChatMessage withReasoning(String text) {
    return new ChatMessage(role, content, text, toolCalls, tool);
  }

  public ChatMessage withToolCalls(List<ToolCall> calls) {
    return new ChatMessage(role, content, reasoning, calls, tool);
  }

  /**
   * As templates see it: the names are those of OpenAI's interface, which Hugging Face's templates
   * follow.
   *
   * @param parts whether the text is a list of one part, as templates for several media want it
   * @param reasoningName what the reasoning is called
   */
  JsonValue toJson(boolean parts, String reasoningName) {
    Map<String, JsonValue> all = new LinkedHashMap<>();
    all.put("role", JsonValue.of(role.label()));
    JsonValue text = JsonValue.of(content);
    all.put(
        "content",
        parts
            ? JsonValue.of(
                List.of(JsonValue.of(Map.of("type", JsonValue.of("text"), "text", text))))
            : text);
    if (!reasoning.isEmpty()) {
      all.put(reasoningName, JsonValue.of(reasoning));
    }
    if (!toolCalls.isEmpty()) {
      List<JsonValue> calls = new ArrayList<>();
      toolCalls.forEach(call -> calls.add(toJson(call)));
      all.put("tool_calls", JsonValue.of(calls));
    }
    tool.ifPresent(t -> {
      all.put("tool_call_id", JsonValue.of(t.id()));
      all.put("name", JsonValue.of(t.name()));
    });
    return JsonValue.of(all);
  }

  private static JsonValue toJson(ToolCall call) {
    Map<String, JsonValue> function = new LinkedHashMap<>();
    function.put("name", JsonValue.of(call.name()));
    function.put("arguments", call.arguments());
    Map<String, JsonValue> all = new LinkedHashMap<>();
    all.put("type", JsonValue.of("function"));
    all.put("id", JsonValue.of(call.id()));
    all.put("function", JsonValue.of(function));
    return JsonValue.of(all);
  }
}
