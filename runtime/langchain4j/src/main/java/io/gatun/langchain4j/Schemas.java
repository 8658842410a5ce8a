package io.gatun.langchain4j;

import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** JSON as LangChain4j has it, in maps and lists, as Gatun's values. */
final class Schemas {
  private Schemas() {}

  static JsonValue.Members of(Map<String, ?> map) {
    Map<String, JsonValue> members = new LinkedHashMap<>();
    map.forEach((name, value) -> members.put(name, value(value)));
    return JsonValue.of(members);
  }

  private static JsonValue value(@Nullable Object value) {
    return switch (value) {
      case null -> JsonValue.Null.NULL;
      case String text -> JsonValue.of(text);
      case Boolean bool -> JsonValue.of(bool);
      case Number number -> JsonReader.read(number.toString());
      case Map<?, ?> map -> members(map);
      case List<?> list -> JsonValue.of(list.stream().map(Schemas::value).toList());
      case Object[] array -> value(List.of(array));
      default -> JsonValue.of(value.toString());
    };
  }

  private static JsonValue members(Map<?, ?> map) {
    Map<String, JsonValue> members = new LinkedHashMap<>();
    map.forEach((name, value) -> members.put(String.valueOf(name), value(value)));
    return JsonValue.of(members);
  }
}
