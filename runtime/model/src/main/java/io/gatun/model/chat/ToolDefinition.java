package io.gatun.model.chat;

import io.gatun.model.json.JsonValue;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A tool that the assistant may call.
 *
 * @param parameters a JSON schema of its arguments
 */
public record ToolDefinition(String name, String description, JsonValue.Members parameters) {
  /**
   * A tool as JSON, as OpenAI's interface has it, {@code {"type": "function", "function": {…}}}, or
   * what is inside of that alone. A tool without parameters takes none.
   *
   * @throws IllegalArgumentException when it has no name, or its parameters are no object
   */
  public static ToolDefinition read(JsonValue json) {
    JsonValue.Members outer = members(json, "a tool");
    JsonValue.Members tool =
        outer.get("function").map(f -> members(f, "a tool's \"function\"")).orElse(outer);
    String name =
        tool.text("name")
            .filter(n -> !n.isBlank())
            .orElseThrow(() -> new IllegalArgumentException("a tool needs a \"name\""));
    JsonValue.Members parameters =
        tool.get("parameters")
            .map(p -> members(p, "the \"parameters\" of the tool " + name))
            .orElse(JsonValue.of(Map.of("type", JsonValue.of("object"))));
    return new ToolDefinition(name, tool.text("description").orElse(""), parameters);
  }

  private static JsonValue.Members members(JsonValue json, String what) {
    if (json instanceof JsonValue.Members members) {
      return members;
    }
    throw new IllegalArgumentException(what + " must be a JSON object");
  }

  JsonValue toJson() {
    Map<String, JsonValue> function = new LinkedHashMap<>();
    function.put("name", JsonValue.of(name));
    function.put("description", JsonValue.of(description));
    function.put("parameters", parameters);
    Map<String, JsonValue> all = new LinkedHashMap<>();
    all.put("type", JsonValue.of("function"));
    all.put("function", JsonValue.of(function));
    return JsonValue.of(all);
  }
}
