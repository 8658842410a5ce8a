package io.gatun.model.chat.reply;

import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonWriter;
import java.util.List;
import java.util.Map;

/** The value of an argument between tags, which becomes JSON. Strings are told while they come. */
final class TaggedValue {
  private final String end;
  private final Markers ends;
  private final boolean lines;
  private final boolean string;
  private final boolean nested;
  private final JsonValue.Members schema;
  private final String inner;

  private boolean begun;
  private int searched;

  /** How many parts of the same name are open in it. */
  private int open;

  private TaggedValue(
      TaggedCalls.Argument argument, String name, boolean string, JsonValue.Members schema) {
    this.end = argument.end().replace("$name", name);
    this.lines = argument.values() == TaggedCalls.Values.LINES;
    this.nested = argument.values() == TaggedCalls.Values.NESTED && !string;
    this.string = string;
    this.schema = schema;
    // Where "NS</name>" is the end, "NS<name>" is the beginning.
    this.inner = end.replace("</", "<");
    this.ends = Markers.of(nested ? List.of(end, inner) : List.of(end));
  }

  static TaggedValue of(
      TaggedCalls.Argument argument, Tag.Match match, JsonValue.Members toolSchema) {
    JsonValue.Members schema = ArgumentSchema.member(toolSchema, match.name());
    Map<String, String> names = match.names();
    boolean string =
        names.containsKey("kind")
            ? List.of("true", "string").contains(names.get("kind"))
            : ArgumentSchema.isString(schema);
    return new TaggedValue(argument, match.name(), string, schema);
  }

  static String quoted(String text) {
    return JsonWriter.write(JsonValue.of(text));
  }

  /** Takes more of it; whether it is complete. */
  boolean read(ReplyScope s) {
    if (!begun) {
      if (lines && s.in.length() == 0) {
        return false;
      }
      begun = true;
      if (lines && s.in.charAt(0) == '\n') {
        var _ = s.in.take(1);
      }
      s.out.arguments(string ? "\"" : "");
    }
    return string ? readString(s) : readOther(s);
  }

  private boolean readString(ReplyScope s) {
    Markers.Found found = ends.find(s.in);
    int safe = found.at();
    boolean complete = found.marker().isPresent();
    boolean newline = lines && safe > 0 && s.in.charAt(safe - 1) == '\n';
    if (newline) {
      safe--;
    }
    s.out.arguments(escaped(s.in.take(safe)));
    if (complete) {
      var _ = s.in.take(end.length() + (newline ? 1 : 0));
      s.out.arguments("\"");
    }
    return complete;
  }

  private boolean readOther(ReplyScope s) {
    Markers.Found found = ends.find(s.in, searched);
    searched = found.at();
    if (found.marker().isEmpty()) {
      return false;
    }
    boolean opens = !found.marker().get().text().equals(end);
    if (opens || open > 0) {
      open += opens ? 1 : -1;
      searched += opens ? inner.length() : end.length();
      return readOther(s);
    }
    s.out.arguments(json(s.in.take(found.at())));
    var _ = s.in.take(end.length());
    return true;
  }

  private String json(String text) {
    return JsonWriter.write(nested ? NestedTags.read(text, end, schema) : LooseValue.of(text));
  }

  /** The text ended before the value did; nothing of it is lost. */
  void end(ReplyScope s) {
    String rest = s.in.take(s.in.length());
    s.out.arguments(string ? escaped(rest) : rest);
  }

  static String escaped(String text) {
    String all = quoted(text);
    return all.substring(1, all.length() - 1);
  }
}
