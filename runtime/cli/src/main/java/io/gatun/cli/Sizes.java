package io.gatun.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them: 512m, 8g. */
final class Sizes {
  private static final Pattern SIZE = Pattern.compile("(\\d{1,9})(k|m|g|t)?i?b?");

  private Sizes() {}

  /**
   * So many bytes; the letters mean powers of 1024.
   *
   * @throws IllegalArgumentException when the text is no size
   */
  static long bytes(String text) {
    Matcher size = SIZE.matcher(text.toLowerCase(Locale.ROOT));
    if (!size.matches()) {
      throw new IllegalArgumentException("'%s' is no size; write 512m or 8g".formatted(text));
    }
    String letter = size.group(2);
    int shift = letter == null ? 0 : 10 * (1 + "kmgt".indexOf(letter));
    return Long.parseLong(size.group(1)) << shift;
  }
}
