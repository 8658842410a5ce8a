package io.gatun.model.chat.reply;

import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Items;
import io.gatun.model.json.JsonValue.Members;
import io.gatun.model.json.JsonValue.Text;
import java.util.List;
import java.util.stream.Stream;

/** What a JSON schema says of values that are written as text. */
final class ArgumentSchema {
  private static final List<String> UNIONS = List.of("anyOf", "oneOf", "allOf");

  private ArgumentSchema() {}

  /** The schema of a member; an empty one where none is given. */
  static Members member(Members schema, String name) {
    return choices(schema)
        .flatMap(s -> s.get("properties").stream())
        .flatMap(p -> p instanceof Members properties ? properties.get(name).stream() : Stream.of())
        .flatMap(m -> m instanceof Members member ? Stream.of(member) : Stream.of())
        .findFirst()
        .orElse(Members.EMPTY);
  }

  /** The schema of an array's items. */
  static Members item(Members schema) {
    return choices(schema)
        .flatMap(s -> s.get("items").stream())
        .flatMap(i -> i instanceof Members item ? Stream.of(item) : Stream.of())
        .findFirst()
        .orElse(Members.EMPTY);
  }

  /** Whether a value may be a string, so that its text is the string. */
  static boolean isString(Members schema) {
    return choices(schema).anyMatch(ArgumentSchema::isPlainString);
  }

  private static boolean isPlainString(Members schema) {
    JsonValue type = schema.get("type").orElse(JsonValue.Null.NULL);
    return type.equals(new Text("string"))
        || (type instanceof Items(List<JsonValue> types) && types.contains(new Text("string")))
        || (schema.get("enum").orElse(JsonValue.Null.NULL) instanceof Items(List<JsonValue> values)
            && !values.isEmpty()
            && values.stream().allMatch(v -> v instanceof Text));
  }

  /** The schema and what it is a choice of, one level deep. */
  private static Stream<Members> choices(Members schema) {
    Stream<Members> inside =
        UNIONS.stream()
            .flatMap(union -> schema.get(union).stream())
            .flatMap(u -> u instanceof Items(List<JsonValue> all) ? all.stream() : Stream.of())
            .flatMap(c -> c instanceof Members choice ? Stream.of(choice) : Stream.of());
    return Stream.concat(Stream.of(schema), inside);
  }
}
