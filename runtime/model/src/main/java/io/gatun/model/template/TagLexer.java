package io.gatun.model.template;

import io.gatun.model.template.Token.Kind;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names, numbers, strings and operators inside of a tag. */
final class TagLexer {
  private static final Pattern FLOAT =
      Pattern.compile(
          "[0-9]+(?:_[0-9]+)*(?:(?:\\.[0-9]+(?:_[0-9]+)*)?[eE][+-]?[0-9]+|\\.[0-9]+(?:_[0-9]+)*)");
  private static final Pattern INTEGER =
      Pattern.compile(
          "0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+|[0-9]+(?:_[0-9]+)*");
  private static final String[] OPERATORS = {
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";"
  };

  private TagLexer() {}

  /** A token's kind and text, and the offset behind it. */
  record Piece(Kind kind, String text, int end) {}

  static Piece next(String source, int at) {
    char c = source.charAt(at);
    if (c >= '0' && c <= '9') {
      return number(source, at);
    }
    if (c == '"' || c == '\'') {
      return string(source, at);
    }
    if (Character.isUnicodeIdentifierStart(c) || c == '_') {
      int end = at + 1;
      while (end < source.length() && Character.isUnicodeIdentifierPart(source.charAt(end))) {
        end++;
      }
      return new Piece(Kind.NAME, source.substring(at, end), end);
    }
    for (String operator : OPERATORS) {
      if (source.startsWith(operator, at)) {
        return new Piece(Kind.OPERATOR, operator, at + operator.length());
      }
    }
    throw new Fault("'" + c + "' is not expected in a tag");
  }

  private static Piece number(String source, int at) {
    Matcher decimal = FLOAT.matcher(source).region(at, source.length());
    if (source.charAt(Math.max(at - 1, 0)) != '.' && decimal.lookingAt()) {
      return new Piece(Kind.FLOAT, decimal.group().replace("_", ""), decimal.end());
    }
    Matcher integer = INTEGER.matcher(source).region(at, source.length());
    if (!integer.lookingAt() || integer.end() - at > 1000) {
      throw new Fault("a number of more than 1000 digits");
    }
    return new Piece(Kind.INTEGER, integer.group().replace("_", ""), integer.end());
  }

  private static Piece string(String source, int at) {
    char quote = source.charAt(at);
    StringBuilder out = new StringBuilder();
    int i = at + 1;
    while (i < source.length() && source.charAt(i) != quote) {
      if (source.charAt(i) == '\\' && i + 1 < source.length()) {
        i = escape(source, i + 1, out);
      } else {
        out.append(source.charAt(i++));
      }
    }
    if (i >= source.length()) {
      throw new Fault("a string without its closing " + quote);
    }
    return new Piece(Kind.STRING, out.toString(), i + 1);
  }

  /** Python's escapes; one that Python does not know keeps its backslash. */
  private static int escape(String source, int at, StringBuilder out) {
    char c = source.charAt(at);
    int plain = "abfnrtv\\'\"".indexOf(c);
    if (plain >= 0) {
      out.append("\u0007\b\f\n\r\t\u000b\\'\"".charAt(plain));
      return at + 1;
    }
    switch (c) {
      case '\n' -> {
        return at + 1;
      }
      case 'x' -> {
        return hex(source, at + 1, 2, out);
      }
      case 'u' -> {
        return hex(source, at + 1, 4, out);
      }
      case 'U' -> {
        return hex(source, at + 1, 8, out);
      }
      default -> {
        int end = at;
        while (end < at + 3
            && end < source.length()
            && "01234567".indexOf(source.charAt(end)) >= 0) {
          end++;
        }
        if (end > at) {
          out.append((char) Integer.parseInt(source.substring(at, end), 8));
          return end;
        }
        out.append('\\').append(c);
        return at + 1;
      }
    }
  }

  private static int hex(String source, int at, int digits, StringBuilder out) {
    int end = at + digits;
    if (end > source.length() || !source.substring(at, end).matches("[0-9a-fA-F]+")) {
      throw new Fault("an escape without its " + digits + " hexadecimal digits");
    }
    long point = Long.parseLong(source.substring(at, end), 16);
    if (point > Character.MAX_CODE_POINT) {
      throw new Fault("an escape beyond Unicode");
    }
    out.appendCodePoint((int) point);
    return end;
  }
}
