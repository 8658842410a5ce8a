package io.gatun.engine.grammar;

import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Items;
import io.gatun.model.json.JsonValue.Members;
import io.gatun.model.json.JsonValue.Text;
import io.gatun.model.json.JsonWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Turns a JSON schema into a grammar. What is not supported is refused by name, so that every text
 * of the grammar is valid by the schema. The other way round it may be narrower: properties come in
 * the schema's order, required ones first; objects and arrays whose schema names their parts have
 * no others unless it says so; numbers have at most 16 digits.
 *
 * @source JSON Schema, drafts 7 and 2020-12
 */
final class SchemaGrammar {
  private static final int DEPTH_MAX = 64;

  private final SchemaRefs refs;
  private final Map<String, Expr> rules = new HashMap<>(JsonText.rules());
  private final JsonValue root;
  private int depth;

  SchemaGrammar(JsonValue root) {
    this(root, new SchemaRefs(root));
  }

  private SchemaGrammar(JsonValue schema, SchemaRefs refs) {
    this.root = schema;
    this.refs = refs;
  }

  Grammar build() {
    rules.put("root", Expr.empty()); // a place, for schemas that refer to the whole
    rules.put("root", visit(root, "#"));
    return new Grammar(rules, "root");
  }

  /** What is valid by one schema. */
  Expr visit(JsonValue schema, String path) {
    if (++depth > DEPTH_MAX) {
      throw new GrammarException(path + ": schemas are nested too deeply");
    }
    Expr made =
        switch (schema) {
          case JsonValue.Bool(boolean any) -> {
            if (!any) {
              throw new GrammarException(path + ": nothing is valid by the schema false");
            }
            yield JsonText.VALUE;
          }
          case Members members -> visit(members, path);
          default -> throw new GrammarException(path + ": schema must be an object");
        };
    depth--;
    return made;
  }

  private Expr visit(Members schema, String path) {
    SchemaKeywords.require(schema, path);
    Members own = SchemaKeywords.withoutAnnotations(schema);
    Optional<JsonValue> ref = own.get("$ref");
    if (ref.isPresent() && own.values().size() == 1) {
      return reference(SchemaRefs.pointer(ref.get(), path), path);
    }
    if (ref.isPresent() || own.get("allOf").isPresent() || hasChoice(own)) {
      List<Members> options = new SchemaMerge(refs).alternatives(own, path);
      List<Expr> made = new ArrayList<>();
      for (int i = 0; i < options.size(); i++) {
        made.add(visit(options.get(i), options.size() == 1 ? path : path + "/anyOf/" + i));
      }
      return Expr.alt(made);
    }
    if (own.get("const").isPresent() || own.get("enum").isPresent()) {
      return literals(own, path);
    }
    List<Expr> options = new ArrayList<>();
    for (String type : SchemaKeywords.types(own, path)) {
      options.add(ofType(type, own, path));
    }
    return options.isEmpty() ? JsonText.VALUE : Expr.alt(options);
  }

  private static boolean hasChoice(Members schema) {
    return schema.get("anyOf").isPresent() || schema.get("oneOf").isPresent();
  }

  private Expr ofType(String type, Members schema, String path) {
    return switch (type) {
      case "object" -> new SchemaObjects(this).object(schema, path);
      case "array" -> new SchemaArrays(this).array(schema, path);
      case "string" -> SchemaStrings.string(schema, path);
      case "integer", "number" -> SchemaNumbers.number(type, schema, path);
      case "boolean" -> JsonText.BOOLEAN;
      case "null" -> Expr.text("null");
      default -> throw new AssertionError(type);
    };
  }

  /** A rule of its own for what is referred to, so that it may refer to itself. */
  private Expr reference(String pointer, String path) {
    JsonValue target = refs.resolve(pointer, path);
    if (pointer.equals(path)) {
      throw new GrammarException(
          "%s: unsupported $ref %s, it refers to itself".formatted(path, pointer));
    }
    if (pointer.equals("#")) {
      return new Expr.Ref("root");
    }
    String name = "ref " + pointer;
    if (!rules.containsKey(name)) {
      rules.put(name, Expr.empty());
      int outside = depth;
      depth = 0;
      rules.put(name, visit(target, pointer));
      depth = outside;
    }
    return new Expr.Ref(name);
  }

  /** Values that are given, as far as the other keywords allow them. */
  private Expr literals(Members schema, String path) {
    Map<String, JsonValue> rest = new LinkedHashMap<>(schema.values());
    List<JsonValue> values = new ArrayList<>();
    JsonValue constant = rest.remove("const");
    JsonValue list = rest.remove("enum");
    if (list != null) {
      if (!(list instanceof Items(List<JsonValue> items)) || items.isEmpty()) {
        throw new GrammarException(path + ": enum must be a non-empty array");
      }
      values.addAll(items);
    }
    if (constant != null) {
      if (list != null && !values.contains(constant)) {
        throw new GrammarException(path + ": const is none of enum");
      }
      values = List.of(constant);
    }
    if (!rest.isEmpty()) {
      CompiledGrammar others =
          new CompiledGrammar(
              new SchemaGrammar(new Members(rest), refs).build(),
              new TokenTrie(List.of(), List.of()));
      values =
          values.stream()
              .filter(v -> others.matches(JsonWriter.write(v).getBytes(StandardCharsets.UTF_8)))
              .toList();
      if (values.isEmpty()) {
        throw new GrammarException(path + ": no value of enum or const is valid by the rest");
      }
    }
    return Expr.alt(values.stream().map(v -> Expr.text(JsonWriter.write(v))).toList());
  }

  /** The names of all rules, for those that add their own. */
  Expr rule(String name, Expr body) {
    String free = name;
    for (int i = 1; rules.containsKey(free); i++) {
      free = name + " " + i;
    }
    rules.put(free, body);
    return new Expr.Ref(free);
  }

  /** A string among an array's, for keywords that list names. */
  static Set<String> names(Members schema, String keyword, String path) {
    JsonValue list = schema.get(keyword).orElse(Items.EMPTY);
    Set<String> names = new LinkedHashSet<>();
    if (list instanceof Items(List<JsonValue> items)) {
      for (JsonValue item : items) {
        if (!(item instanceof Text(String name))) {
          throw new GrammarException("%s: %s must be an array of strings".formatted(path, keyword));
        }
        names.add(name);
      }
      return names;
    }
    throw new GrammarException("%s: %s must be an array of strings".formatted(path, keyword));
  }
}
