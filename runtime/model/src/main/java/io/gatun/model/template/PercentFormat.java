package io.gatun.model.template;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code "%s and %05.2f" % values}. */
final class PercentFormat {
  private static final Pattern PLACE =
      Pattern.compile("%(?:\\(([^)]*)\\))?([-+ 0#]*)(\\d{0,9})(?:\\.(\\d{0,9}))?([a-zA-Z%])");

  private PercentFormat() {}

  static String format(String pattern, Value values, Budget budget) {
    Deque<Value> left =
        new ArrayDeque<>(
            values instanceof Value.Items items && items.tuple()
                ? items.values()
                : List.of(values));
    StringBuilder out = new StringBuilder();
    Matcher place = PLACE.matcher(pattern);
    int from = 0;
    for (int at = pattern.indexOf('%'); at >= 0; at = pattern.indexOf('%', from)) {
      budget.append(out, pattern.substring(from, at));
      if (!place.region(at, pattern.length()).lookingAt()) {
        throw new Fault("a format that does not read behind '%'");
      }
      from = place.end();
      budget.append(out, place.group(5).equals("%") ? "%" : one(place, values, left, budget));
    }
    if (!left.isEmpty() && !(values instanceof Value.Dict)) {
      throw new Fault("more values than places in a format");
    }
    budget.append(out, pattern.substring(from));
    budget.chars(out.length());
    return out.toString();
  }

  private static String one(Matcher place, Value values, Deque<Value> left, Budget budget) {
    Value value;
    if (place.group(1) != null) {
      if (!(values instanceof Value.Dict dict)) {
        throw new Fault("a format with names needs a dictionary");
      }
      value =
          dict.get(place.group(1))
              .orElseThrow(() -> new Fault("no '" + place.group(1) + "' for a format"));
    } else if (left.isEmpty()) {
      throw new Fault("fewer values than places in a format");
    } else {
      value = left.removeFirst();
    }
    String flags = place.group(2);
    String width = place.group(3);
    String precision =
        place.group(4) == null ? "" : "." + (place.group(4).isEmpty() ? "0" : place.group(4));
    char type = place.group(5).charAt(0);
    boolean text = type == 's' || type == 'r';
    char align = flags.contains("-") ? '<' : '>';
    String spec =
        (flags.contains("0") && align == '>' && !text ? "" : align)
            + (flags.contains("+") ? "+" : flags.contains(" ") ? " " : "")
            + (flags.contains("#") ? "#" : "")
            + (flags.contains("0") && align == '>' && !text ? "0" : "")
            + width
            + precision;
    return switch (type) {
      case 's' -> FormatSpec.format(new Value.Str(Printer.text(value, budget)), spec + "s", budget);
      case 'r' ->
          FormatSpec.format(new Value.Str(Printer.quoted(value, budget)), spec + "s", budget);
      case 'd', 'i', 'u' ->
          FormatSpec.format(whole(value), spec.replace(precision, "") + "d", budget);
      default -> FormatSpec.format(value, spec + type, budget);
    };
  }

  private static Value whole(Value value) {
    return value instanceof Value.Real(double number)
            && !Double.isNaN(number)
            && !Double.isInfinite(number)
        ? new Value.Int(new java.math.BigDecimal(number).toBigInteger())
        : value;
  }
}
