package io.gatun.engine.grammar;

import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Items;
import io.gatun.model.json.JsonValue.Members;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Schemas that have to hold together become one: allOf, references with words beside them, and
 * anyOf and oneOf, which become a choice of such.
 */
final class SchemaMerge {
  private static final int ALTERNATIVES_MAX = 256;
  private static final int DEPTH_MAX = 32;

  private final SchemaRefs refs;
  private int depth;

  SchemaMerge(SchemaRefs refs) {
    this.refs = refs;
  }

  /** Schemas without allOf, anyOf, oneOf and $ref of their own, one of which has to hold. */
  List<Members> alternatives(Members schema, String path) {
    if (++depth > DEPTH_MAX) {
      throw new GrammarException(path + ": references or combinations are nested too deeply");
    }
    SchemaKeywords.require(schema, path);
    Map<String, JsonValue> own =
        new LinkedHashMap<>(SchemaKeywords.withoutAnnotations(schema).values());
    JsonValue ref = own.remove("$ref");
    JsonValue all = own.remove("allOf");
    JsonValue any = own.remove("anyOf");
    JsonValue one = own.remove("oneOf");
    List<Members> made = List.of(new Members(own));
    if (ref != null) {
      String pointer = SchemaRefs.pointer(ref, path);
      made = product(List.of(made, parts(refs.resolve(pointer, path), pointer)), path);
    }
    if (all != null) {
      List<JsonValue> schemas = schemas(all, path + "/allOf");
      for (int i = 0; i < schemas.size(); i++) {
        made = product(List.of(made, parts(schemas.get(i), path + "/allOf/" + i)), path);
      }
    }
    if (any != null) {
      made = product(List.of(made, union(any, path + "/anyOf")), path);
    }
    if (one != null) {
      List<Members> union = union(one, path + "/oneOf");
      requireDisjoint(product(List.of(List.of(new Members(own)), union), path), path);
      made = product(List.of(made, union), path);
    }
    depth--;
    return made;
  }

  private List<Members> parts(JsonValue schema, String path) {
    return switch (schema) {
      case Members members -> alternatives(members, path);
      case JsonValue.Bool(boolean valid) -> valid ? List.of(Members.EMPTY) : List.of();
      default -> throw new GrammarException(path + ": schema must be an object");
    };
  }

  private List<Members> union(JsonValue list, String path) {
    List<Members> options = new ArrayList<>();
    List<JsonValue> schemas = schemas(list, path);
    for (int i = 0; i < schemas.size(); i++) {
      options.addAll(parts(schemas.get(i), path + "/" + i));
    }
    return options;
  }

  private static List<JsonValue> schemas(JsonValue list, String path) {
    if (!(list instanceof Items(List<JsonValue> items))) {
      throw new GrammarException(path + ": must be an array of schemas");
    }
    if (items.isEmpty()) {
      throw new GrammarException(path + ": must not be empty");
    }
    return items;
  }

  private List<Members> product(List<List<Members>> factors, String path) {
    List<Members> made = List.of(Members.EMPTY);
    for (List<Members> options : factors) {
      List<Members> next = new ArrayList<>();
      for (Members left : made) {
        for (Members right : options) {
          next.add(both(left, right, path));
        }
      }
      if (next.size() > ALTERNATIVES_MAX) {
        throw new GrammarException(
            path + ": more than %d alternatives".formatted(ALTERNATIVES_MAX));
      }
      made = next;
    }
    if (made.isEmpty()) {
      throw new GrammarException(path + ": nothing is valid by all of it");
    }
    return made;
  }

  /** One schema for what is valid by two. */
  private Members both(Members left, Members right, String path) {
    if (left.values().isEmpty() || right.values().isEmpty()) {
      return left.values().isEmpty() ? right : left;
    }
    requireOpen(left, right, path);
    requireOpen(right, left, path);
    requireSameItems(left, right, path);
    Map<String, JsonValue> merged = new LinkedHashMap<>(left.values());
    right
        .values()
        .forEach((key, value) -> {
          JsonValue known = merged.get(key);
          merged.put(
              key, known == null || known.equals(value) ? value : both(key, known, value, path));
        });
    return new Members(merged);
  }

  /** What one side says of further properties also counts for those that only the other names. */
  private static void requireOpen(Members side, Members other, String path) {
    boolean closes =
        side.get("additionalProperties")
            .filter(a -> !a.equals(new JsonValue.Bool(true)))
            .isPresent();
    Set<String> own = new LinkedHashSet<>(names(side));
    if (closes && !own.containsAll(names(other))) {
      throw new GrammarException(
          path + ": additionalProperties beside properties of another schema is not supported");
    }
  }

  /** What one side says of first items changes which ones the other's words are about. */
  private static void requireSameItems(Members left, Members right, String path) {
    Map<String, JsonValue> a = items(left);
    Map<String, JsonValue> b = items(right);
    boolean plain = a.keySet().equals(Set.of("items")) && b.keySet().equals(Set.of("items"));
    boolean lists = a.get("items") instanceof Items || b.get("items") instanceof Items;
    if (!a.isEmpty() && !b.isEmpty() && !a.equals(b) && (!plain || lists)) {
      throw new GrammarException(path + ": items of two schemas together are not supported");
    }
  }

  private static Map<String, JsonValue> items(Members schema) {
    Map<String, JsonValue> words = new LinkedHashMap<>(schema.values());
    words.keySet().retainAll(Set.of("items", "prefixItems", "additionalItems"));
    return words;
  }

  private static Set<String> names(Members schema) {
    return schema.get("properties").orElse(Members.EMPTY) instanceof Members(var properties)
        ? properties.keySet()
        : Set.of();
  }

  private JsonValue both(String key, JsonValue left, JsonValue right, String path) {
    return switch (key) {
      case "required" -> {
        Set<JsonValue> all = new LinkedHashSet<>(((Items) left).values());
        all.addAll(((Items) right).values());
        yield new Items(List.copyOf(all));
      }
      case "type" -> types(left, right, path);
      case "enum" -> {
        List<JsonValue> common = new ArrayList<>(((Items) left).values());
        common.retainAll(((Items) right).values());
        if (common.isEmpty()) {
          throw new GrammarException(path + ": no value is in both enums");
        }
        yield new Items(common);
      }
      case "properties" -> properties((Members) left, (Members) right);
      case "minimum", "exclusiveMinimum", "minLength", "minItems" -> larger(left, right);
      case "maximum", "exclusiveMaximum", "maxLength", "maxItems" ->
          larger(left, right).equals(left) ? right : left;
      case "items", "additionalProperties" ->
          new Members(Map.of("allOf", new Items(List.of(left, right))));
      default -> throw new GrammarException("%s: two different %s together".formatted(path, key));
    };
  }

  private static JsonValue larger(JsonValue left, JsonValue right) {
    BigDecimal a = ((JsonValue.Number) left).decimal();
    BigDecimal b = ((JsonValue.Number) right).decimal();
    return a.compareTo(b) >= 0 ? left : right;
  }

  private static JsonValue properties(Members left, Members right) {
    Map<String, JsonValue> merged = new LinkedHashMap<>(left.values());
    right
        .values()
        .forEach((name, value) ->
            merged.merge(
                name,
                value,
                (a, b) ->
                    a.equals(b) ? a : new Members(Map.of("allOf", new Items(List.of(a, b))))));
    return new Members(merged);
  }

  private static JsonValue types(JsonValue left, JsonValue right, String path) {
    List<String> common = new ArrayList<>();
    for (String a : SchemaKeywords.types(new Members(Map.of("type", left)), path)) {
      for (String b : SchemaKeywords.types(new Members(Map.of("type", right)), path)) {
        boolean narrower = a.equals("integer") && b.equals("number");
        boolean wider = a.equals("number") && b.equals("integer");
        if (a.equals(b) || narrower || wider) {
          common.add(narrower ? a : b);
        }
      }
    }
    if (common.isEmpty()) {
      throw new GrammarException(path + ": no type is in both");
    }
    return new Items(common.stream().distinct().<JsonValue>map(JsonValue.Text::new).toList());
  }

  /** Refuses alternatives that could hold at once, which oneOf forbids. */
  private static void requireDisjoint(List<Members> options, String path) {
    for (int i = 0; i < options.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (!SchemaDisjoint.disjoint(options.get(i), options.get(j), 0)) {
          throw new GrammarException(
              "%s/oneOf: alternatives %d and %d might hold together; only anyOf is supported then"
                  .formatted(path, j, i));
        }
      }
    }
  }
}
