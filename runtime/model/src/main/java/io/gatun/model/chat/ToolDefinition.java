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
