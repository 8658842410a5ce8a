package io.gatun.model.chat.reply;

import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Members;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A value as tags for its parts, as MiniMax M3 writes it: members by their names, items of lists as
 * {@code <item>}. Each tag follows a text that values do not contain.
 */
final class NestedTags {
  /** Deeper values stay text. */
  private static final int DEPTH_MAX = 64;

  private final String text;
  private final String space;
  private int at;

  private NestedTags(String text, String space) {
    this.text = text;
    this.space = space;
  }

  /**
   * Reads a complete value; what is not in order becomes a string.
   *
   * @param end the tag that ends it, with the text before
   */
  static JsonValue read(String text, String end, Members schema) {
    NestedTags tags = new NestedTags(text, end.substring(0, end.indexOf("</")));
    if (tags.space.isEmpty()) {
      return LooseValue.of(text);
    }
    return tags.parts(schema, 0)
        .filter(_ -> text.substring(tags.at).isBlank())
        .orElseGet(() -> scalar(text, schema));
  }

  private static JsonValue scalar(String text, Members schema) {
    return ArgumentSchema.isString(schema) ? JsonValue.of(text) : LooseValue.of(text);
  }

  /** The parts that stand here; nothing if there are none. */
  private Optional<JsonValue> parts(Members schema, int depth) {
    Map<String, JsonValue> members = new LinkedHashMap<>();
    List<JsonValue> items = new ArrayList<>();
    for (Optional<String> name = open(); name.isPresent(); name = open()) {
      boolean item = name.get().equals("item");
      Members inner =
          item ? ArgumentSchema.item(schema) : ArgumentSchema.member(schema, name.get());
      Optional<JsonValue> value = depth < DEPTH_MAX ? value(inner, depth + 1) : Optional.empty();
      String close = space + "</" + name.get() + ">";
      if (value.isEmpty() || !text.startsWith(close, at)) {
        return Optional.empty();
      }
      at += close.length();
      items.add(value.get());
      members.put(name.get(), value.get());
    }
    if (items.isEmpty()) {
      return Optional.empty();
    }
    boolean list = members.keySet().equals(Set.of("item"));
    return Optional.of(list ? JsonValue.of(items) : JsonValue.of(members));
  }

  private Optional<JsonValue> value(Members schema, int depth) {
    Optional<JsonValue> parts = parts(schema, depth);
    if (parts.isPresent()) {
      return parts;
    }
    int end = text.indexOf(space, at);
    if (end < 0) {
      return Optional.empty();
    }
    JsonValue value = scalar(text.substring(at, end), schema);
    at = end;
    return Optional.of(value);
  }

  /** The name in a tag that begins a part here, behind white space. */
  private Optional<String> open() {
    int from = at;
    while (from < text.length() && Character.isWhitespace(text.charAt(from))) {
      from++;
    }
    int name = from + space.length() + 1;
    int end = text.indexOf('>', name);
    if (!text.startsWith(space + "<", from) || text.startsWith("/", name) || end < 0) {
      return Optional.empty();
    }
    at = end + 1;
    return Optional.of(text.substring(name, end));
  }
}
