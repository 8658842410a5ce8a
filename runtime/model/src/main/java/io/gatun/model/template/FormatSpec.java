package io.gatun.model.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One value by a format specification such as {@code *^+12,.3f}.
 *
 * @source Python's format specification mini-language
 */
final class FormatSpec {
  private static final Pattern SPEC =
      Pattern.compile(
          "(?:(.)?([<>=^]))?([-+ ])?(#)?(0)?(\\d{1,9})?([,_])?(?:\\.(\\d{1,9}))?([a-zA-Z%])?",
          Pattern.DOTALL);

  /** More digits than any double has. */
  private static final int PRECISION_MAX = 1000;

  private FormatSpec() {}

  static String format(Value value, String spec, Budget budget) {
    if (spec.isEmpty()) {
      return Printer.text(value, budget);
    }
    Matcher parts = SPEC.matcher(spec);
    if (!parts.matches()) {
      throw new Fault("the format '" + spec + "' does not read");
    }
    int precision = parts.group(8) == null ? -1 : Integer.parseInt(parts.group(8));
    String type = parts.group(9) == null ? "" : parts.group(9);
    boolean number = Numbers.number(value) && !type.equals("s");
    String body =
        number ? number(value, parts, type, precision) : text(value, type, precision, budget);
    boolean zeros = parts.group(5) != null && parts.group(2) == null;
    String fill = parts.group(1) != null ? parts.group(1) : zeros ? "0" : " ";
    String align = parts.group(2) != null ? parts.group(2) : zeros ? "=" : number ? ">" : "<";
    int width = parts.group(6) == null ? 0 : Integer.parseInt(parts.group(6));
    String sign = "";
    if (number && align.equals("=") && !body.isEmpty() && "+- ".indexOf(body.charAt(0)) >= 0) {
      sign = body.substring(0, 1);
      body = body.substring(1);
    }
    double leftShare = align.equals("<") ? 0 : align.equals("^") ? 0.5 : 1;
    return sign + Spaces.padded(body, width - sign.length(), fill.charAt(0), leftShare, budget);
  }

  private static String text(Value value, String type, int precision, Budget budget) {
    if (!type.isEmpty() && !type.equals("s")) {
      throw new Fault("the format '%s' of %s".formatted(type, Types.name(value)));
    }
    String text = Printer.text(value, budget);
    return precision >= 0 && precision < text.codePointCount(0, text.length())
        ? text.substring(0, text.offsetByCodePoints(0, precision))
        : text;
  }

  private static String number(Value value, Matcher parts, String type, int precision) {
    if (precision > PRECISION_MAX) {
      throw new Fault("a format with %d digits".formatted(precision));
    }
    boolean whole = !(value instanceof Value.Real) && "dxXobc".contains(type);
    String digits =
        whole
            ? integer(Numbers.integer(value).orElseThrow(), type, parts.group(4) != null)
            : real(Numbers.real(value), type, precision);
    String group = parts.group(7);
    if (group != null) {
      digits = grouped(digits, group);
    }
    String plus = parts.group(3) == null || parts.group(3).equals("-") ? "" : parts.group(3);
    return digits.startsWith("-") ? digits : plus + digits;
  }

  private static String integer(BigInteger number, String type, boolean prefixed) {
    return switch (type) {
      case "x" -> prefix(number, prefixed ? "0x" : "", 16);
      case "X" -> prefix(number, prefixed ? "0x" : "", 16).toUpperCase(Locale.ROOT);
      case "o" -> prefix(number, prefixed ? "0o" : "", 8);
      case "b" -> prefix(number, prefixed ? "0b" : "", 2);
      case "c" -> {
        if (number.signum() < 0 || number.bitLength() > 21 || number.intValue() > 0x10ffff) {
          throw new Fault("no character has the number " + number);
        }
        yield Character.toString(number.intValue());
      }
      default -> number.toString();
    };
  }

  private static String prefix(BigInteger number, String prefix, int base) {
    return (number.signum() < 0 ? "-" : "") + prefix + number.abs().toString(base);
  }

  private static String real(double number, String type, int precision) {
    if (Double.isNaN(number) || Double.isInfinite(number)) {
      return Numbers.text(number);
    }
    int digits = precision < 0 ? 6 : precision;
    BigDecimal exact = new BigDecimal(number);
    return switch (type) {
      case "f", "F" ->
          signed(number, exact.setScale(digits, RoundingMode.HALF_EVEN).toPlainString());
      case "%" ->
          exact.movePointRight(2).setScale(digits, RoundingMode.HALF_EVEN).toPlainString() + "%";
      case "e", "E" -> {
        String text = scientific(exact, digits);
        yield type.equals("E") ? text.toUpperCase(Locale.ROOT) : text;
      }
      case "g", "G", "" ->
          type.isEmpty() && precision < 0
              ? Numbers.text(number)
              : general(exact, Math.max(digits, 1));
      default -> throw new Fault("the format '" + type + "' of a float");
    };
  }

  private static String signed(double number, String text) {
    return 1 / number < 0 && number == 0 ? "-" + text : text;
  }

  private static String scientific(BigDecimal number, int digits) {
    if (number.signum() == 0) {
      return "0" + (digits > 0 ? "." + "0".repeat(digits) : "") + "e+00";
    }
    BigDecimal rounded =
        number.round(new java.math.MathContext(digits + 1, RoundingMode.HALF_EVEN));
    int exponent = rounded.precision() - rounded.scale() - 1;
    String mantissa =
        rounded.movePointLeft(exponent).setScale(digits, RoundingMode.HALF_EVEN).toPlainString();
    return "%se%s%02d".formatted(mantissa, exponent < 0 ? "-" : "+", Math.abs(exponent));
  }

  private static String general(BigDecimal number, int digits) {
    if (number.signum() == 0) {
      return "0";
    }
    BigDecimal rounded = number.round(new java.math.MathContext(digits, RoundingMode.HALF_EVEN));
    int exponent = rounded.precision() - rounded.scale() - 1;
    if (exponent < -4 || exponent >= digits) {
      String text = scientific(number, digits - 1);
      int e = text.indexOf('e');
      String mantissa = text.substring(0, e);
      return (mantissa.contains(".") ? mantissa.replaceAll("\\.?0+$", "") : mantissa)
          + text.substring(e);
    }
    return rounded.stripTrailingZeros().toPlainString();
  }

  private static String grouped(String digits, String separator) {
    int start = digits.startsWith("-") ? 1 : 0;
    int end = start;
    while (end < digits.length() && Character.isDigit(digits.charAt(end))) {
      end++;
    }
    StringBuilder out = new StringBuilder(digits);
    for (int at = end - 3; at > start; at -= 3) {
      out.insert(at, separator);
    }
    return out.toString();
  }
}
