package io.gatun.model.template;

import java.util.function.IntPredicate;

/** White space by Python's idea of it, and what is stripped from the ends of strings. */
final class Spaces {
  private Spaces() {}

  static boolean is(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
  }

  static String strip(String text, boolean left, boolean right) {
    return strip(text, Spaces::is, left, right);
  }

  /** Without the characters of a set at the ends. */
  static String strip(String text, String set, boolean left, boolean right) {
    return strip(text, c -> set.indexOf(c) >= 0, left, right);
  }

  private static String strip(String text, IntPredicate goes, boolean left, boolean right) {
    int start = 0;
    int end = text.length();
    while (left && start < end && goes.test(text.codePointAt(start))) {
      start += Character.charCount(text.codePointAt(start));
    }
    while (right && end > start && goes.test(text.codePointBefore(end))) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return text.substring(start, end);
  }

  /** Upper case where a word begins, by Python's {@code str.title}. */
  static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean inside = false;
    for (int c : text.codePoints().toArray()) {
      out.appendCodePoint(inside ? Character.toLowerCase(c) : Character.toTitleCase(c));
      inside = Character.isLetter(c);
    }
    return out.toString();
  }

  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.offsetByCodePoints(0, 1);
    return title(text.substring(0, first)) + lower(text.substring(first));
  }

  static String lower(String text) {
    return text.toLowerCase(java.util.Locale.ROOT);
  }

  static String upper(String text) {
    return text.toUpperCase(java.util.Locale.ROOT);
  }

  /** Every, or the first {@code count}, occurrences replaced; -1 is every one. */
  static String replace(String text, String old, String now, int count, Budget budget) {
    if (old.isEmpty()) {
      return interleave(text, now, count, budget);
    }
    int at = text.indexOf(old);
    if (at < 0 || count == 0) {
      return text;
    }
    StringBuilder out = new StringBuilder();
    int from = 0;
    for (int left = count; at >= 0 && left != 0; left--) {
      budget.chars((long) at - from + now.length());
      budget.step();
      out.append(text, from, at).append(now);
      from = at + old.length();
      at = text.indexOf(old, from);
    }
    budget.chars((long) text.length() - from);
    return out.append(text, from, text.length()).toString();
  }

  private static String interleave(String text, String now, int count, Budget budget) {
    budget.chars((text.length() + 1L) * (now.length() + 1L));
    StringBuilder out = new StringBuilder();
    int left = count < 0 ? Integer.MAX_VALUE : count;
    for (int c : text.codePoints().toArray()) {
      if (left-- > 0) {
        out.append(now);
      }
      out.appendCodePoint(c);
    }
    return left > 0 ? out.append(now).toString() : out.toString();
  }

  static String padded(String text, int width, char fill, double leftShare, Budget budget) {
    int missing = width - text.codePointCount(0, text.length());
    if (missing <= 0) {
      return text;
    }
    budget.chars((long) width + text.length());
    int left = (int) Math.floor(missing * leftShare);
    return Character.toString(fill).repeat(left)
        + text
        + Character.toString(fill).repeat(missing - left);
  }
}
