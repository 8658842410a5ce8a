package io.gatun.model.template;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;

/** Filters of strings; what is no string becomes one first. */
final class TextFilters {
  static final Map<String, Builtin> ALL = new HashMap<>();

  private static final Pattern WORD_BEGINS = Pattern.compile("(?<=[-\\s({\\[<])");

  static {
    text("upper", (s, _, _) -> Spaces.upper(s));
    text("lower", (s, _, _) -> Spaces.lower(s));
    text("capitalize", (s, _, _) -> Spaces.capitalize(s));
    text("title", (s, _, _) -> title(s));
    text(
        "trim",
        (s, a, _) ->
            a.given("chars").isPresent()
                ? Spaces.strip(s, a.text("chars"), true, true)
                : Spaces.strip(s, true, true),
        "chars");
    text(
        "replace",
        (s, a, e) ->
            Spaces.replace(
                s, shown(a, "old", e), shown(a, "new", e), a.integer("count", -1), e.budget()),
        "old",
        "new",
        "count");
    text("indent", TextFilters::indent, "width", "first", "blank");
    text("truncate", TextFilters::truncate, "length", "killwords", "end", "leeway");
    text(
        "center",
        (s, a, e) -> Spaces.padded(s, a.integer("width", 80), ' ', 0.5, e.budget()),
        "width");
    text(
        "urlencode",
        (s, _, e) -> {
          e.budget().chars(s.length() * 9L);
          return URLEncoder.encode(s, StandardCharsets.UTF_8)
              .replace("+", "%20")
              .replace("*", "%2A")
              .replace("%7E", "~")
              .replace("%2F", "/");
        });
    text(
        "format",
        (s, a, e) ->
            PercentFormat.format(
                s, a.named().isEmpty() ? new Value.Items(a.rest(), true) : named(a), e.budget()),
        "**");
    ALL.put(
        "string",
        Builtin.of((self, _, e) ->
            self instanceof Value.Str ? self : new Value.Str(Printer.text(self, e.budget()))));
    ALL.put(
        "safe", Builtin.of((self, _, e) -> new Value.Str(Printer.text(self, e.budget()), true)));
    Builtin escape =
        Builtin.of((self, _, e) ->
            new Value.Str(
                self instanceof Value.Str s
                    ? Html.escaped(s, e.budget())
                    : Html.escaped(Printer.text(self, e.budget()), e.budget()),
                true));
    ALL.put("e", escape);
    ALL.put("escape", escape);
    ALL.put(
        "forceescape",
        Builtin.of((self, _, e) ->
            new Value.Str(Html.escaped(Printer.text(self, e.budget()), e.budget()), true)));
    ALL.put(
        "wordcount",
        Builtin.of((self, _, e) ->
            Value.Int.of(
                Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS)
                    .matcher(Printer.text(self, e.budget()))
                    .results()
                    .count())));
  }

  private interface Body {
    String apply(String self, Arguments arguments, Evaluator evaluator);
  }

  private TextFilters() {}

  private static void text(String name, Body body, String... parameters) {
    ALL.put(
        name,
        Builtin.of(
            (self, a, e) -> {
              String text = Printer.text(self, e.budget());
              e.budget().chars(text.length());
              e.budget().steps(text.length() / 64);
              return new Value.Str(
                  body.apply(text, a, e),
                  self instanceof Value.Str(String _, boolean safe) && safe);
            },
            parameters));
  }

  private static String shown(Arguments a, String name, Evaluator e) {
    return Printer.text(a.need(name), e.budget());
  }

  private static Value named(Arguments a) {
    Value.Dict dict = new Value.Dict();
    a.named().forEach(dict::put);
    return dict;
  }

  private static String title(String text) {
    StringBuilder out = new StringBuilder();
    for (String word : WORD_BEGINS.split(text, -1)) {
      out.append(Spaces.capitalize(word));
    }
    return out.toString();
  }

  private static String indent(String text, Arguments a, Evaluator e) {
    String by =
        a.value("width", Value.None.NONE) instanceof Value.Str(String given, boolean _)
            ? given
            : Spaces.padded("", a.integer("width", 4), ' ', 1, e.budget());
    boolean blank = a.flag("blank", false);
    String[] lines = (text + "\n").split("\\R", -1);
    int count = lines.length - 1;
    e.budget().chars(text.length() + (long) count * by.length());
    StringBuilder out = new StringBuilder(a.flag("first", false) ? by : "");
    for (int i = 0; i < count; i++) {
      String line = lines[i];
      if (i > 0) {
        out.append('\n').append(blank || !line.isEmpty() ? by : "");
      }
      out.append(line);
    }
    return out.toString();
  }

  private static String truncate(String text, Arguments a, Evaluator e) {
    int length = a.integer("length", 255);
    String end = a.text("end", "...");
    int[] points = text.codePoints().toArray();
    if (points.length <= (long) length + a.integer("leeway", 5)) {
      return text;
    }
    int keep = length - end.codePointCount(0, end.length());
    if (keep < 0) {
      throw new Fault("truncate to fewer characters than its end has");
    }
    String cut = new String(points, 0, keep);
    int space = cut.lastIndexOf(' ');
    return (a.flag("killwords", false) || space < 0 ? cut : cut.substring(0, space)) + end;
  }
}
