package io.gatun.server.generate;

import io.gatun.engine.grammar.Grammar;
import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyCall;
import io.gatun.model.chat.reply.ReplyEvent;
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
 * Reads an answer that has to be a tool call. A grammar lets the model write nothing but {@code
 * {"name": …, "arguments": {…}}}, whatever its own format is; the call is told when it is complete.
 */
final class ForcedCall implements ReplyReader {
  private final StringBuilder text = new StringBuilder();
  private Reply reply = new Reply("", "", List.of());

  /** What such an answer looks like: a call of one of the tools, with arguments of its schema. */
  static Grammar grammar(String path, List<ToolDefinition> tools) {
    List<JsonValue> options = new ArrayList<>();
    for (ToolDefinition tool : tools) {
      String place = "#/anyOf/%d/properties/arguments".formatted(options.size());
      options.add(option(tool.name(), moved(arguments(tool), place)));
    }
    return FormatFields.schema(path, JsonValue.of(Map.of("anyOf", JsonValue.of(options))));
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

  @Override
  public List<ReplyEvent> accept(String piece) {
    text.append(piece);
    return List.of();
  }

  @Override
  public List<ReplyEvent> finish() {
    Optional<ReplyCall> call = call();
    if (call.isEmpty()) { // it had to end in the middle
      reply = new Reply(text.toString(), "", List.of());
      return List.of(new ReplyEvent.Content(text.toString()));
    }
    reply = new Reply("", "", List.of(call.get()));
    return List.of(
        new ReplyEvent.CallBegun(0, call.get().name()),
        new ReplyEvent.CallArguments(0, call.get().arguments()),
        new ReplyEvent.CallEnded(0, call.get()));
  }

  private Optional<ReplyCall> call() {
    try {
      if (JsonReader.read(text.toString()) instanceof JsonValue.Members written
          && written.get("arguments").orElse(JsonValue.Null.NULL)
              instanceof JsonValue.Members arguments) {
        return Optional.of(
            new ReplyCall(
                "",
                written.text("name").orElse(""),
                JsonWriter.write(arguments),
                arguments,
                Optional.empty()));
      }
    } catch (JsonException e) {
      return Optional.empty();
    }
    return Optional.empty();
  }

  @Override
  public Reply reply() {
    return reply;
  }
}
