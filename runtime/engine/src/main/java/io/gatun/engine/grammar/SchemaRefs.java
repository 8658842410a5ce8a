package io.gatun.engine.grammar;

import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Items;
import io.gatun.model.json.JsonValue.Members;
import io.gatun.model.json.JsonValue.Text;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Finds what a schema refers to within its own document.
 *
 * @source RFC 6901
 */
record SchemaRefs(JsonValue document) {

  /** What {@code $ref} says. */
  static String pointer(JsonValue ref, String path) {
    if (!(ref instanceof Text(String pointer))) {
      throw new GrammarException(path + ": $ref must be a string");
    }
    if (!pointer.equals("#") && !pointer.startsWith("#/")) {
      throw new GrammarException("%s: unsupported $ref %s, only #/… is".formatted(path, pointer));
    }
    return pointer;
  }

  JsonValue resolve(String pointer, String path) {
    if (document instanceof Members root && (root.get("$id").isPresent() && hasInner(root))) {
      throw new GrammarException(path + ": $ref in a document of several $id is not supported");
    }
    JsonValue at = document;
    if (pointer.equals("#")) {
      return at;
    }
    for (String step : pointer.substring(2).split("/", -1)) {
      String name =
          URLDecoder.decode(step.replace("+", "%2B"), StandardCharsets.UTF_8)
              .replace("~1", "/")
              .replace("~0", "~");
      at = step(at, name, pointer, path);
    }
    return at;
  }

  private static JsonValue step(JsonValue at, String name, String pointer, String path) {
    return switch (at) {
      case Members members ->
          members
              .get(name)
              .orElseThrow(() ->
                  new GrammarException(
                      "%s: cannot resolve $ref %s, %s not found".formatted(path, pointer, name)));
      case Items(List<JsonValue> items) -> {
        int index = name.matches("\\d{1,9}") ? Integer.parseInt(name) : Integer.MAX_VALUE;
        if (index >= items.size()) {
          throw new GrammarException(
              "%s: cannot resolve $ref %s, %s is out of range".formatted(path, pointer, name));
        }
        yield items.get(index);
      }
      default ->
          throw new GrammarException(
              "%s: cannot resolve $ref %s, %s not found".formatted(path, pointer, name));
    };
  }

  /** Whether a part of the document has a name of its own, which would change what # means. */
  private static boolean hasInner(Members root) {
    return root.values().values().stream().anyMatch(SchemaRefs::named);
  }

  private static boolean named(JsonValue value) {
    return switch (value) {
      case Members m ->
          m.get("$id").filter(id -> id instanceof Text).isPresent()
              || m.values().values().stream().anyMatch(SchemaRefs::named);
      case Items(List<JsonValue> items) -> items.stream().anyMatch(SchemaRefs::named);
      default -> false;
    };
  }
}
