package io.gatun.engine.grammar;

import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Items;
import io.gatun.model.json.JsonValue.Members;
import io.gatun.model.json.JsonValue.Text;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Which words of a schema mean what. */
final class SchemaKeywords {
  /** What only describes. */
  private static final Set<String> ANNOTATIONS =
      Set.of(
          "$schema",
          "$id",
          "$comment",
          "$anchor",
          "$vocabulary",
          "id",
          "title",
          "description",
          "default",
          "examples",
          "example",
          "deprecated",
          "readOnly",
          "writeOnly",
          "$defs",
          "definitions");

  /** Which type a keyword is about. */
  private static final Map<String, String> ABOUT =
      Map.ofEntries(
          Map.entry("properties", "object"),
          Map.entry("required", "object"),
          Map.entry("additionalProperties", "object"),
          Map.entry("items", "array"),
          Map.entry("prefixItems", "array"),
          Map.entry("additionalItems", "array"),
          Map.entry("minItems", "array"),
          Map.entry("maxItems", "array"),
          Map.entry("minLength", "string"),
          Map.entry("maxLength", "string"),
          Map.entry("pattern", "string"),
          Map.entry("format", "string"),
          Map.entry("minimum", "number"),
          Map.entry("maximum", "number"),
          Map.entry("exclusiveMinimum", "number"),
          Map.entry("exclusiveMaximum", "number"),
          Map.entry("multipleOf", "number"));

  private static final Set<String> GENERAL =
      Set.of("type", "enum", "const", "allOf", "anyOf", "oneOf", "$ref");

  private static final List<String> TYPES =
      List.of("object", "array", "string", "number", "integer", "boolean", "null");

  private SchemaKeywords() {}

  /** Refuses what is not supported, by name. */
  static void require(Members schema, String path) {
    schema
        .values()
        .forEach((key, value) -> {
          boolean known =
              ANNOTATIONS.contains(key) || ABOUT.containsKey(key) || GENERAL.contains(key);
          boolean unique = key.equals("uniqueItems") && value.equals(new JsonValue.Bool(false));
          if (!known && !unique && !key.startsWith("x-")) {
            throw new GrammarException("%s: %s is not supported".formatted(path, key));
          }
        });
  }

  static Members withoutAnnotations(Members schema) {
    Map<String, JsonValue> own = new LinkedHashMap<>(schema.values());
    own.keySet()
        .removeIf(
            key -> ANNOTATIONS.contains(key) || key.equals("uniqueItems") || key.startsWith("x-"));
    return new Members(own);
  }

  /**
   * The types that a schema allows: those it names, or those that its keywords are about; none for
   * all of them.
   */
  static List<String> types(Members schema, String path) {
    Optional<JsonValue> named = schema.get("type");
    if (named.isPresent()) {
      return named(named.get(), path);
    }
    Set<String> about = new LinkedHashSet<>();
    schema.values().keySet().stream()
        .filter(ABOUT::containsKey)
        .forEach(k -> about.add(ABOUT.get(k)));
    return List.copyOf(about);
  }

  private static List<String> named(JsonValue type, String path) {
    List<JsonValue> all =
        switch (type) {
          case Text text -> List.of(text);
          case Items(List<JsonValue> items) -> items;
          default ->
              throw new GrammarException(path + ": type must be a string or an array of strings");
        };
    if (all.isEmpty()) {
      throw new GrammarException(path + ": type must not be empty");
    }
    List<String> names = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      String at = type instanceof Text ? path : path + "/type/" + i;
      if (!(all.get(i) instanceof Text(String name))) {
        throw new GrammarException(path + ": type must be a string or an array of strings");
      }
      if (!TYPES.contains(name)) {
        throw new GrammarException("%s: unrecognized type %s".formatted(at, name));
      }
      names.add(name);
    }
    return names;
  }

  /** A keyword's count; empty without it. */
  static Optional<Integer> count(Members schema, String keyword, String path) {
    Optional<JsonValue> value = schema.get(keyword);
    if (value.isEmpty()) {
      return Optional.empty();
    }
    BigDecimal number =
        value.get() instanceof JsonValue.Number n && n.text().length() < 20
            ? n.decimal()
            : BigDecimal.ONE.negate();
    if (number.signum() < 0 || number.stripTrailingZeros().scale() > 0) {
      throw new GrammarException("%s: %s must be a non-negative integer".formatted(path, keyword));
    }
    return Optional.of(number.min(BigDecimal.valueOf(Integer.MAX_VALUE - 1)).intValue());
  }
}
