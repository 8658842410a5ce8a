package io.gatun.model.json;

/** Where a JSON number ends: {@code -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?}. */
final class JsonNumbers {
  private JsonNumbers() {}

  /** The offset behind the longest number that begins at {@code start}; -1 where there is none. */
  static int end(String text, int start) {
    int i = start;
    if (i < text.length() && text.charAt(i) == '-') {
      i++;
    }
    int whole = digits(text, i);
    if (whole == i || (text.charAt(i) == '0' && whole > i + 1)) {
      return -1;
    }
    i = whole;
    if (i < text.length() && text.charAt(i) == '.') {
      int fraction = digits(text, i + 1);
      if (fraction == i + 1) {
        return -1;
      }
      i = fraction;
    }
    if (i < text.length() && (text.charAt(i) == 'e' || text.charAt(i) == 'E')) {
      int sign = i + 1 < text.length() && "+-".indexOf(text.charAt(i + 1)) >= 0 ? 1 : 0;
      int exponent = digits(text, i + 1 + sign);
      if (exponent == i + 1 + sign) {
        return -1;
      }
      i = exponent;
    }
    return i;
  }

  private static int digits(String text, int start) {
    int i = start;
    while (i < text.length() && text.charAt(i) >= '0' && text.charAt(i) <= '9') {
      i++;
    }
    return i;
  }
}
