package io.gatun.engine.grammar;

import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Members;
import io.gatun.model.json.JsonWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Objects: required properties, then optional ones, then others, each in the schema's order. */
record SchemaObjects(SchemaGrammar schemas) {
  private static final JsonValue NO = new JsonValue.Bool(false);

  Expr object(Members schema, String path) {
    Map<String, JsonValue> properties = properties(schema, path);
    Set<String> required = SchemaGrammar.names(schema, "required", path);
    Optional<JsonValue> additional = schema.get("additionalProperties");
    additional
        .filter(a -> !(a instanceof JsonValue.Bool) && !(a instanceof Members))
        .ifPresent(_ -> {
          throw new GrammarException(path + ": additionalProperties must be a boolean or a schema");
        });
    List<Expr> must = new ArrayList<>();
    List<Expr> may = new ArrayList<>();
    properties.forEach((name, value) -> {
      if (!value.equals(NO)) {
        String at = path + "/properties/" + name;
        Expr pair = pair(name, schemas.rule("property", schemas.visit(value, at)));
        (required.contains(name) ? must : may).add(pair);
      } else if (required.contains(name)) {
        throw new GrammarException("%s: %s is required but never valid".formatted(path, name));
      }
    });
    boolean open = additional.map(a -> !a.equals(NO)).orElse(properties.isEmpty());
    for (String name : required) {
      if (!properties.containsKey(name)) {
        if (additional.filter(NO::equals).isPresent()) {
          throw new GrammarException("%s: %s is required but no property".formatted(path, name));
        }
        must.add(pair(name, other(additional, path)));
      }
    }
    Map<String, JsonValue> known = new LinkedHashMap<>(properties);
    required.forEach(name -> known.put(name, NO));
    Optional<Expr> others =
        open
            ? Optional.of(
                Expr.seq(
                    known.isEmpty() ? JsonText.STRING : JsonText.stringExcept(known.keySet()),
                    colon(),
                    other(additional, path)))
            : Optional.empty();
    return JsonText.braces(members(must, may, others));
  }

  private Expr other(Optional<JsonValue> additional, String path) {
    return additional
        .filter(a -> !a.equals(NO))
        .map(a -> schemas.visit(a, path + "/additionalProperties"))
        .orElse(JsonText.VALUE);
  }

  private Expr members(List<Expr> must, List<Expr> may, Optional<Expr> others) {
    Expr rest = Expr.empty();
    Expr first = Expr.empty();
    if (others.isPresent()) {
      Expr other = schemas.rule("other", others.get());
      rest = Expr.many(Expr.seq(JsonText.comma(), other));
      first = Expr.optional(Expr.seq(other, rest));
    }
    // Behind a property each optional one may follow with its comma; without any before it, it
    // comes without.
    for (Expr pair : may.reversed()) {
      Expr behind = schemas.rule("rest", rest);
      first = Expr.alt(Expr.seq(pair, behind), schemas.rule("first", first));
      rest = Expr.seq(Expr.optional(Expr.seq(JsonText.comma(), pair)), behind);
    }
    if (must.isEmpty()) {
      return first;
    }
    List<Expr> parts = new ArrayList<>();
    for (Expr pair : must) {
      if (!parts.isEmpty()) {
        parts.add(JsonText.comma());
      }
      parts.add(pair);
    }
    parts.add(rest);
    return Expr.seq(parts);
  }

  private static Expr pair(String name, Expr value) {
    String quoted = JsonWriter.write(new JsonValue.Text(name));
    return Expr.seq(Expr.text(quoted), colon(), value);
  }

  private static Expr colon() {
    return Expr.seq(Expr.text(":"), JsonText.SPACE);
  }

  private static Map<String, JsonValue> properties(Members schema, String path) {
    JsonValue value = schema.get("properties").orElse(Members.EMPTY);
    if (value instanceof Members(Map<String, JsonValue> properties)) {
      return properties;
    }
    throw new GrammarException(path + ": properties must be an object");
  }
}
