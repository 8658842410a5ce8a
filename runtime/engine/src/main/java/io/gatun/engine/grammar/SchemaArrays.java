package io.gatun.engine.grammar;

import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Items;
import io.gatun.model.json.JsonValue.Members;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Arrays: first items of their own kinds, then others of one. */
record SchemaArrays(SchemaGrammar schemas) {

  Expr array(Members schema, String path) {
    Optional<JsonValue> items = schema.get("items");
    List<JsonValue> prefix = prefix(schema, path);
    boolean tuple = items.filter(i -> i instanceof Items).isPresent(); // draft 7
    Optional<JsonValue> rest = tuple ? schema.get("additionalItems") : items;
    String restPath = path + (tuple ? "/additionalItems" : "/items");
    boolean closed = rest.map(r -> r.equals(new JsonValue.Bool(false))).orElse(!prefix.isEmpty());
    int most = SchemaKeywords.count(schema, "maxItems", path).orElse(Expr.Repeat.UNBOUNDED);
    int max = closed ? Math.min(most, prefix.size()) : most;
    int min = SchemaKeywords.count(schema, "minItems", path).orElse(Math.min(max, prefix.size()));
    if (max < min) {
      throw new GrammarException("%s: minItems %d is above the most, %d".formatted(path, min, max));
    }
    List<Expr> first = new ArrayList<>();
    for (int i = 0; i < Math.min(prefix.size(), max); i++) {
      String at = tuple ? path + "/items/" + i : path + "/prefixItems/" + i;
      first.add(schemas.rule("item", schemas.visit(prefix.get(i), at)));
    }
    if (first.size() == max) {
      return JsonText.brackets(tail(first, 0, min, Expr.empty()));
    }
    Expr item = rest.map(r -> schemas.visit(r, restPath)).orElse(JsonText.VALUE);
    int restMin = Math.max(0, min - first.size());
    int restMax = max == Expr.Repeat.UNBOUNDED ? max : max - first.size();
    if (first.isEmpty()) {
      return JsonText.brackets(
          Expr.separated(schemas.rule("item", item), JsonText.comma(), restMin, restMax));
    }
    Expr others =
        new Expr.Repeat(Expr.seq(JsonText.comma(), schemas.rule("item", item)), restMin, restMax);
    return JsonText.brackets(tail(first, 0, min, others));
  }

  /** Items from one on, each behind a comma but the first; those from {@code min} on may lack. */
  private static Expr tail(List<Expr> items, int from, int min, Expr others) {
    Expr made = others;
    for (int i = items.size() - 1; i >= from; i--) {
      Expr item = i == 0 ? items.get(i) : Expr.seq(JsonText.comma(), items.get(i));
      made = Expr.seq(item, made);
      made = i >= min ? Expr.optional(made) : made;
    }
    return made;
  }

  private static List<JsonValue> prefix(Members schema, String path) {
    Optional<JsonValue> named = schema.get("prefixItems");
    if (named.isPresent()) {
      if (named.get() instanceof Items(List<JsonValue> items)) {
        return items;
      }
      throw new GrammarException(path + ": prefixItems must be an array of schemas");
    }
    return schema.get("items").orElse(new JsonValue.Bool(true))
            instanceof Items(List<JsonValue> items)
        ? items
        : List.of();
  }
}
