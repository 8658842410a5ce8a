package io.gatun.model.json;

import java.util.Map;

/** Writes JSON values. Strings are escaped as Python's {@code json.dumps} escapes them. */
public final class JsonWriter {
  /** Deeper than anything that was read; a value made by a program may be deeper still. */
  private static final int DEPTH_MAX = 1000;

  private final JsonStyle style;
  private final StringBuilder out = new StringBuilder();

  private JsonWriter(JsonStyle style) {
    this.style = style;
  }

  /** The value's text, as short as can be. */
  public static String write(JsonValue value) {
    return write(value, JsonStyle.COMPACT);
  }

  /**
   * The value's text in a style.
   *
   * @throws IllegalArgumentException if the value is deeper than 1000 levels
   */
  public static String write(JsonValue value, JsonStyle style) {
    JsonWriter writer = new JsonWriter(style);
    writer.value(value, 0);
    return writer.out.toString();
  }

  private void value(JsonValue value, int depth) {
    if (depth > DEPTH_MAX) {
      throw new IllegalArgumentException("a JSON value more than 1000 levels deep");
    }
    switch (value) {
      case JsonValue.Members members -> members(members, depth);
      case JsonValue.Items items -> items(items, depth);
      case JsonValue.Text(String text) -> string(text);
      case JsonValue.Number(String text) -> out.append(text);
      case JsonValue.Bool(boolean bool) -> out.append(bool);
      case JsonValue.Null _ -> out.append("null");
    }
  }

  private void members(JsonValue.Members members, int depth) {
    out.append('{');
    boolean first = true;
    for (Map.Entry<String, JsonValue> member : members.values().entrySet()) {
      separate(first, depth + 1);
      first = false;
      string(member.getKey());
      out.append(style.nameSeparator());
      value(member.getValue(), depth + 1);
    }
    close(first, depth, '}');
  }

  private void items(JsonValue.Items items, int depth) {
    out.append('[');
    boolean first = true;
    for (JsonValue item : items.values()) {
      separate(first, depth + 1);
      first = false;
      value(item, depth + 1);
    }
    close(first, depth, ']');
  }

  private void separate(boolean first, int depth) {
    if (!first) {
      out.append(style.itemSeparator());
    }
    newLine(depth);
  }

  private void close(boolean empty, int depth, char bracket) {
    if (!empty) {
      newLine(depth);
    }
    out.append(bracket);
  }

  private void newLine(int depth) {
    if (style.indent() >= 0) {
      out.append('\n').repeat(' ', style.indent() * depth);
    }
  }

  private void string(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      character(text.charAt(i));
    }
    out.append('"');
  }

  private void character(char c) {
    switch (c) {
      case '"' -> out.append("\\\"");
      case '\\' -> out.append("\\\\");
      case '\b' -> out.append("\\b");
      case '\f' -> out.append("\\f");
      case '\n' -> out.append("\\n");
      case '\r' -> out.append("\\r");
      case '\t' -> out.append("\\t");
      default -> {
        if (c < ' ' || (style.asciiOnly() && c > '~')) {
          out.append("\\u%04x".formatted((int) c));
        } else {
          out.append(c);
        }
      }
    }
  }
}
