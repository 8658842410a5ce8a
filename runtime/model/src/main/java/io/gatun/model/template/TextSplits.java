package io.gatun.model.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Strings cut into parts. */
final class TextSplits {
  private TextSplits() {}

  static Value split(String text, Arguments a, Evaluator e, boolean fromRight) {
    int max = a.integer("maxsplit", -1);
    e.budget().chars(text.length());
    List<String> parts =
        a.given("sep").isEmpty()
            ? bySpace(text, max, fromRight)
            : bySeparator(text, a.text("sep"), max, fromRight);
    e.budget().items(parts.size());
    return texts(parts);
  }

  private static Value texts(List<String> parts) {
    return Value.Items.list(parts.stream().map(Value.Str::new).toList());
  }

  private static List<String> bySeparator(
      String text, String separator, int max, boolean fromRight) {
    if (separator.isEmpty()) {
      throw new Fault("an empty separator");
    }
    List<String> parts = new ArrayList<>();
    int start = 0;
    int end = text.length();
    while (max < 0 || parts.size() < max) {
      int at =
          fromRight
              ? text.lastIndexOf(separator, end - separator.length())
              : text.indexOf(separator, start);
      if (at < 0) {
        break;
      }
      int behind = at + separator.length();
      parts.add(fromRight ? text.substring(behind, end) : text.substring(start, at));
      start = fromRight ? 0 : behind;
      end = fromRight ? at : end;
    }
    parts.add(text.substring(start, end));
    if (fromRight) {
      Collections.reverse(parts);
    }
    return parts;
  }

  private static List<String> bySpace(String text, int max, boolean fromRight) {
    // a mirrored text is cut from its left
    String ordered = fromRight ? new StringBuilder(text).reverse().toString() : text;
    List<String> parts = new ArrayList<>();
    int at = wordStart(ordered, 0);
    while (at < ordered.length() && (max < 0 || parts.size() < max)) {
      int end = at;
      while (end < ordered.length() && !Spaces.is(ordered.charAt(end))) {
        end++;
      }
      parts.add(ordered.substring(at, end));
      at = wordStart(ordered, end);
    }
    if (at < ordered.length()) {
      parts.add(Spaces.strip(ordered.substring(at), false, true));
    }
    if (fromRight) {
      parts.replaceAll(part -> new StringBuilder(part).reverse().toString());
      Collections.reverse(parts);
    }
    return parts;
  }

  private static int wordStart(String text, int from) {
    int at = from;
    while (at < text.length() && Spaces.is(text.charAt(at))) {
      at++;
    }
    return at;
  }

  static Value lines(String text, Arguments a, Evaluator e) {
    boolean keep = a.flag("keepends", false);
    e.budget().chars(text.length());
    List<String> lines = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < text.length(); i++) {
      if ("\n\r\u000b\f\u001c\u001d\u001e\u0085\u2028\u2029".indexOf(text.charAt(i)) >= 0) {
        int end = text.startsWith("\r\n", i) ? i + 2 : i + 1;
        lines.add(text.substring(from, keep ? end : i));
        from = end;
        i = end - 1;
      }
    }
    if (from < text.length()) {
      lines.add(text.substring(from));
    }
    e.budget().items(lines.size());
    return texts(lines);
  }

  static Value partition(String text, String separator, boolean last) {
    if (separator.isEmpty()) {
      throw new Fault("an empty separator");
    }
    int at = last ? text.lastIndexOf(separator) : text.indexOf(separator);
    List<String> parts =
        at >= 0
            ? List.of(text.substring(0, at), separator, text.substring(at + separator.length()))
            : last ? List.of("", "", text) : List.of(text, "", "");
    return new Value.Items(List.copyOf(((Value.Items) texts(parts)).values()), true);
  }
}
