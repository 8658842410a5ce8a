package io.gatun.model.chat.reply;

import io.gatun.model.json.JsonException;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import java.util.Optional;

/** A value that should be no string, as JSON has it or as Python does. */
final class LooseValue {
  private LooseValue() {}

  /** The value; the text as a string if it is none. */
  static JsonValue of(String text) {
    String value = text.strip();
    return json(value).or(() -> python(value)).orElse(JsonValue.of(text));
  }

  private static Optional<JsonValue> json(String text) {
    try {
      return Optional.of(JsonReader.read(text));
    } catch (JsonException e) {
      return Optional.empty();
    }
  }

  private static Optional<JsonValue> python(String text) {
    return switch (text) {
      case "True" -> Optional.of(JsonValue.of(true));
      case "False" -> Optional.of(JsonValue.of(false));
      case "None" -> Optional.of(JsonValue.Null.NULL);
      default -> text.startsWith("{") || text.startsWith("[") ? nested(text) : Optional.empty();
    };
  }

  private static Optional<JsonValue> nested(String text) {
    Incoming in = new Incoming();
    in.add("value=" + text + ")");
    in.end();
    StringBuilder json = new StringBuilder();
    LooseArguments arguments = new LooseArguments(LooseArguments.Style.PYTHON);
    boolean complete = arguments.read(in, json) == LooseArguments.Step.COMPLETE;
    return complete && in.length() == 0
        ? json(json.toString()).flatMap(v -> ((JsonValue.Members) v).get("value"))
        : Optional.empty();
  }
}
