package io.gatun.engine.grammar;

import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Items;
import io.gatun.model.json.JsonValue.Members;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Whether no value can be valid by two schemas, as far as can be seen at once. */
final class SchemaDisjoint {
  private static final int DEPTH_MAX = 8;

  private SchemaDisjoint() {}

  static boolean disjoint(Members left, Members right, int depth) {
    if (depth > DEPTH_MAX) {
      return false;
    }
    return differentTypes(left, right)
        || differentValues(left, right)
        || differentProperty(left, right, depth);
  }

  private static boolean differentTypes(Members left, Members right) {
    Set<String> a = kinds(left);
    Set<String> b = kinds(right);
    return !a.isEmpty() && !b.isEmpty() && Collections.disjoint(a, b);
  }

  /** The types that a schema names, integers as numbers; what its other words are about is not. */
  private static Set<String> kinds(Members schema) {
    return schema.get("type").isEmpty()
        ? Set.of()
        : SchemaKeywords.types(schema, "#").stream()
            .map(t -> t.equals("integer") ? "number" : t)
            .collect(Collectors.toSet());
  }

  private static boolean differentValues(Members left, Members right) {
    Optional<List<JsonValue>> a = values(left);
    Optional<List<JsonValue>> b = values(right);
    // Numbers may be written in several ways.
    return a.isPresent()
        && b.isPresent()
        && Collections.disjoint(a.get(), b.get())
        && a.get().stream().noneMatch(v -> v instanceof JsonValue.Number)
        && b.get().stream().noneMatch(v -> v instanceof JsonValue.Number);
  }

  private static Optional<List<JsonValue>> values(Members schema) {
    Optional<JsonValue> constant = schema.get("const");
    return constant.isPresent()
        ? Optional.of(List.of(constant.get()))
        : schema.get("enum").map(e -> e instanceof Items(var items) ? items : List.of());
  }

  private static boolean differentProperty(Members left, Members right, int depth) {
    Map<String, JsonValue> a = required(left);
    Map<String, JsonValue> b = required(right);
    return a.keySet().stream()
        .filter(b::containsKey)
        .anyMatch(name ->
            a.get(name) instanceof Members x
                && b.get(name) instanceof Members y
                && disjoint(x, y, depth + 1));
  }

  /** Properties that must be there, of schemas that allow objects only. */
  private static Map<String, JsonValue> required(Members schema) {
    if (!kinds(schema).equals(Set.of("object"))) {
      return Map.of();
    }
    Set<String> names = SchemaGrammar.names(schema, "required", "#");
    return schema.get("properties").orElse(Members.EMPTY) instanceof Members(var properties)
        ? properties.entrySet().stream()
            .filter(e -> names.contains(e.getKey()))
            .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue))
        : Map.of();
  }
}
