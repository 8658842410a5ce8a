package io.gatun.model.chat.reply;

import io.gatun.model.chat.ChatMessage.ToolCall;
import io.gatun.model.json.JsonException;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import java.util.Optional;

/**
 * A tool call as a model wrote it.
 *
 * @param id by which the model names it, empty where its format has no such thing
 * @param arguments their text, in which nothing is missing of what was written
 * @param value the arguments; empty where there is a problem
 * @param problem why the arguments are no JSON object, if they are none
 */
public record ReplyCall(
    String id, String name, String arguments, JsonValue.Members value, Optional<String> problem) {

  /** Reads the arguments. Whatever they are, this throws nothing. */
  static ReplyCall read(String id, String name, String arguments) {
    try {
      return JsonReader.read(arguments) instanceof JsonValue.Members members
          ? new ReplyCall(id, name, arguments, members, Optional.empty())
          : broken(id, name, arguments, "the arguments are no JSON object");
    } catch (JsonException e) {
      return broken(id, name, arguments, "the arguments are not JSON: " + e.getMessage());
    }
  }

  static ReplyCall broken(String id, String name, String arguments, String problem) {
    return new ReplyCall(id, name, arguments, JsonValue.Members.EMPTY, Optional.of(problem));
  }

  /**
   * The same with an id made of a number where it has none: nine letters and digits, as Mistral's
   * templates want ids.
   */
  public ReplyCall numbered(int number) {
    return id.isEmpty()
        ? new ReplyCall("call%05d".formatted(number), name, arguments, value, problem)
        : this;
  }

  /** For a message. */
  ToolCall toToolCall() {
    return new ToolCall(id, name, value);
  }
}
