package io.gatun;

import io.gatun.engine.grammar.Grammar;
import io.gatun.engine.grammar.GrammarException;
import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyCall;
import io.gatun.model.json.JsonException;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A reply that has to be a tool call: {@code {"name": …, "arguments": {…}}}, whatever the model's
 * own format is.
 */
public final class ToolCallForm {
  private ToolCallForm() {}

  /**
   * Lets a model write a call of one of the tools, with arguments of its schema, and nothing else.
   *
   * @throws GrammarException when a schema has something that cannot be enforced
   */
  public static Grammar grammar(List<ToolDefinition> tools) {
    List<JsonValue> options = new ArrayList<>();
    for (ToolDefinition tool : tools) {
      String place = "#/anyOf/%d/properties/arguments".formatted(options.size());
      options.add(option(tool.name(), moved(arguments(tool), place)));
    }
    return Grammar.jsonSchema(JsonValue.of(Map.of("anyOf", JsonValue.of(options))));
  }

  /** Reads such a reply; one that had to end in the middle is a text. */
  public static Reply read(String text) {
    try {
      if (JsonReader.read(text) instanceof JsonValue.Members written
          && written.get("arguments").orElse(JsonValue.Null.NULL)
              instanceof JsonValue.Members arguments) {
        String name = written.text("name").orElse("");
        String json = JsonWriter.write(arguments);
        return new Reply(
            "", "", List.of(new ReplyCall("", name, json, arguments, Optional.empty())));
      }
    } catch (JsonException endedInTheMiddle) {
      return new Reply(text, "", List.of());
    }
    return new Reply(text, "", List.of());
  }

  private static JsonValue option(String name, JsonValue arguments) {
    Map<String, JsonValue> properties = new LinkedHashMap<>();
    properties.put("name", JsonValue.of(Map.of("const", JsonValue.of(name))));
    properties.put("arguments", arguments);
    Map<String, JsonValue> option = new LinkedHashMap<>();
    option.put("type", JsonValue.of("object"));
    option.put("properties", JsonValue.of(properties));
    option.put("required", JsonValue.of(List.of(JsonValue.of("name"), JsonValue.of("arguments"))));
    option.put("additionalProperties", JsonValue.of(false));
    return JsonValue.of(option);
  }

  private static JsonValue arguments(ToolDefinition tool) {
    JsonValue.Members schema = tool.parameters();
    return schema.get("type").isPresent() || schema.get("$ref").isPresent()
        ? schema
        : schema.with("type", JsonValue.of("object"));
  }

  /** A schema whose references hold after it was put into another one. */
  private static JsonValue moved(JsonValue schema, String place) {
    return switch (schema) {
      case JsonValue.Members(Map<String, JsonValue> values) -> {
        Map<String, JsonValue> changed = new LinkedHashMap<>();
        values.forEach((name, value) ->
            changed.put(
                name,
                name.equals("$ref") && value instanceof JsonValue.Text(String to)
                    ? JsonValue.of(to.startsWith("#") ? place + to.substring(1) : to)
                    : moved(value, place)));
        yield JsonValue.of(changed);
      }
      case JsonValue.Items(List<JsonValue> values) ->
          JsonValue.of(values.stream().map(v -> moved(v, place)).toList());
      default -> schema;
    };
  }
}
