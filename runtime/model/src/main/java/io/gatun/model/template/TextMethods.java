package io.gatun.model.template;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;

/** The methods of strings. */
final class TextMethods {
  static final Map<String, Builtin> ALL = new HashMap<>();

  static {
    text("upper", (s, _, _) -> Spaces.upper(s));
    text("lower", (s, _, _) -> Spaces.lower(s));
    text("casefold", (s, _, _) -> Spaces.lower(s));
    text("title", (s, _, _) -> Spaces.title(s));
    text("capitalize", (s, _, _) -> Spaces.capitalize(s));
    text("strip", (s, a, _) -> strip(s, a, true, true), "chars");
    text("lstrip", (s, a, _) -> strip(s, a, true, false), "chars");
    text("rstrip", (s, a, _) -> strip(s, a, false, true), "chars");
    text(
        "replace",
        (s, a, e) ->
            Spaces.replace(s, a.text("old"), a.text("new"), a.integer("count", -1), e.budget()),
        "old",
        "new",
        "count");
    text("format", BraceFormat::format, "**");
    text("join", (s, a, e) -> ListFilters.join(e.items(a.need("items")), s, e), "items");
    text(
        "removeprefix",
        (s, a, _) -> s.startsWith(a.text("prefix")) ? s.substring(a.text("prefix").length()) : s,
        "prefix");
    text(
        "removesuffix",
        (s, a, _) ->
            s.endsWith(a.text("suffix"))
                ? s.substring(0, s.length() - a.text("suffix").length())
                : s,
        "suffix");
    text("ljust", (s, a, e) -> pad(s, a, 0, e), "width", "fill");
    text("rjust", (s, a, e) -> pad(s, a, 1, e), "width", "fill");
    text("center", (s, a, e) -> pad(s, a, 0.5, e), "width", "fill");
    text(
        "zfill",
        (s, a, e) -> {
          boolean sign = s.startsWith("-") || s.startsWith("+");
          String digits = sign ? s.substring(1) : s;
          int width = a.integer("width", 0) - (sign ? 1 : 0);
          return (sign ? s.substring(0, 1) : "") + Spaces.padded(digits, width, '0', 1, e.budget());
        },
        "width");
    flag("startswith", (s, a, e) -> any(s, a, e, true), "prefix");
    flag("endswith", (s, a, e) -> any(s, a, e, false), "prefix");
    flag("isdigit", (s, _, _) -> all(s, Character::isDigit));
    flag("isdecimal", (s, _, _) -> all(s, Character::isDigit));
    flag("isnumeric", (s, _, _) -> all(s, Character::isDigit));
    flag("isalpha", (s, _, _) -> all(s, Character::isLetter));
    flag("isalnum", (s, _, _) -> all(s, Character::isLetterOrDigit));
    flag("isspace", (s, _, _) -> all(s, Spaces::is));
    flag("isupper", (s, _, _) -> s.equals(Spaces.upper(s)) && !s.equals(Spaces.lower(s)));
    flag("islower", (s, _, _) -> s.equals(Spaces.lower(s)) && !s.equals(Spaces.upper(s)));
    value("find", (s, a, _) -> place(s, s.indexOf(a.text("sub"))), "sub");
    value("rfind", (s, a, _) -> place(s, s.lastIndexOf(a.text("sub"))), "sub");
    value("index", (s, a, _) -> needed(place(s, s.indexOf(a.text("sub")))), "sub");
    value("rindex", (s, a, _) -> needed(place(s, s.lastIndexOf(a.text("sub")))), "sub");
    value("count", (s, a, e) -> count(s, a.text("sub"), e), "sub");
    value("split", (s, a, e) -> TextSplits.split(s, a, e, false), "sep", "maxsplit");
    value("rsplit", (s, a, e) -> TextSplits.split(s, a, e, true), "sep", "maxsplit");
    value("splitlines", TextSplits::lines, "keepends");
    value("partition", (text, a, _) -> TextSplits.partition(text, a.text("sep"), false), "sep");
    value("rpartition", (text, a, _) -> TextSplits.partition(text, a.text("sep"), true), "sep");
  }

  private interface Body<T> {
    T apply(String self, Arguments arguments, Evaluator evaluator);
  }

  private TextMethods() {}

  private static void text(String name, Body<String> body, String... parameters) {
    value(
        name,
        (s, a, e) -> {
          e.budget().chars(s.length());
          return new Value.Str(body.apply(s, a, e));
        },
        parameters);
  }

  private static void flag(String name, Body<Boolean> body, String... parameters) {
    value(name, (s, a, e) -> Value.Bool.of(body.apply(s, a, e)), parameters);
  }

  private static void value(String name, Body<Value> body, String... parameters) {
    Builtin.Body checked =
        (self, a, e) -> {
          if (!(self instanceof Value.Str(String s, boolean _))) {
            throw new Fault("'" + name + "' is a method of strings");
          }
          e.budget().steps(s.length() / 64);
          return body.apply(s, a, e);
        };
    ALL.put(name, Builtin.of(checked, parameters));
  }

  private static String strip(String text, Arguments a, boolean left, boolean right) {
    return a.given("chars").isPresent()
        ? Spaces.strip(text, a.text("chars"), left, right)
        : Spaces.strip(text, left, right);
  }

  private static String pad(String text, Arguments a, double leftShare, Evaluator e) {
    String fill = a.text("fill", " ");
    if (fill.length() != 1) {
      throw new Fault("the argument 'fill' should be one character");
    }
    return Spaces.padded(text, a.integer("width", 0), fill.charAt(0), leftShare, e.budget());
  }

  private static boolean any(String text, Arguments a, Evaluator e, boolean start) {
    Value wanted = a.need("prefix");
    List<Value> all =
        wanted instanceof Value.Items items && items.tuple() ? e.items(items) : List.of(wanted);
    return all.stream()
        .anyMatch(v -> {
          if (!(v instanceof Value.Str(String part, boolean _))) {
            throw new Fault("a string begins and ends with strings, not " + Types.name(v));
          }
          return start ? text.startsWith(part) : text.endsWith(part);
        });
  }

  private static boolean all(String text, IntPredicate test) {
    return !text.isEmpty() && text.codePoints().allMatch(test);
  }

  private static Value place(String text, int at) {
    return Value.Int.of(at < 0 ? -1 : text.codePointCount(0, at));
  }

  private static Value needed(Value place) {
    if (place.equals(Value.Int.of(-1))) {
      throw new Fault("the substring is not there");
    }
    return place;
  }

  private static Value count(String text, String part, Evaluator e) {
    if (part.isEmpty()) {
      return Value.Int.of(text.codePointCount(0, text.length()) + 1L);
    }
    int count = 0;
    for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
      e.budget().step();
      count++;
    }
    return Value.Int.of(count);
  }
}
