package io.gatun.model.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Filters that give numbers. */
final class NumberFilters {
  static final Map<String, Builtin> ALL =
      Map.of(
          "int", Builtin.of(NumberFilters::integer, "default", "base"),
          "float", Builtin.of(NumberFilters::real, "default"),
          "abs", Builtin.of((self, _, _) -> Numbers.absolute(self)),
          "round", Builtin.of(NumberFilters::round, "precision", "method"));

  private NumberFilters() {}

  private static Value integer(Value self, Arguments a, Evaluator e) {
    Value otherwise = a.value("default", Value.Int.of(0));
    Optional<BigInteger> integer = Numbers.integer(self);
    if (integer.isPresent()) {
      return new Value.Int(integer.get());
    }
    return switch (self) {
      case Value.Real(double number) -> whole(number).orElse(otherwise);
      case Value.Str(String text, boolean _) ->
          parsed(text, a.integer("base", 10))
              .or(() -> parsedReal(text).flatMap(NumberFilters::whole))
              .orElse(otherwise);
      default -> otherwise;
    };
  }

  private static Optional<Value> whole(double number) {
    return Double.isNaN(number) || Double.isInfinite(number)
        ? Optional.empty()
        : Optional.of(new Value.Int(new BigDecimal(number).toBigInteger()));
  }

  private static Optional<Value> parsed(String text, int base) {
    String digits = Spaces.strip(text, true, true).replace("_", "").toLowerCase(Locale.ROOT);
    String prefix = base == 16 ? "0x" : base == 8 ? "0o" : base == 2 ? "0b" : "\0";
    if (digits.startsWith(prefix)) {
      digits = digits.substring(2);
    }
    if (base < 2 || base > 36 || digits.length() > 4300) {
      return Optional.empty();
    }
    try {
      return Optional.of(Numbers.bounded(new BigInteger(digits, base)));
    } catch (NumberFormatException _) {
      return Optional.empty();
    }
  }

  private static Optional<Double> parsedReal(String text) {
    String digits = Spaces.strip(text, true, true).replace("_", "").toLowerCase(Locale.ROOT);
    if (digits.matches("[+-]?(inf|infinity)")) {
      return Optional.of(
          digits.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY);
    }
    if (digits.matches("[+-]?nan")) {
      return Optional.of(Double.NaN);
    }
    return digits.length() < 5000
            && digits.matches("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)(e[+-]?[0-9]+)?")
        ? Optional.of(Double.parseDouble(digits))
        : Optional.empty();
  }

  private static Value real(Value self, Arguments a, Evaluator e) {
    Value otherwise = a.value("default", new Value.Real(0));
    return switch (self) {
      case Value.Str(String text, boolean _) ->
          parsedReal(text).map(d -> (Value) new Value.Real(d)).orElse(otherwise);
      case Value.Int _, Value.Bool _, Value.Real _ -> new Value.Real(Numbers.real(self));
      default -> otherwise;
    };
  }

  private static Value round(Value self, Arguments a, Evaluator e) {
    int precision = a.integer("precision", 0);
    String method = a.text("method", "common");
    double number = Numbers.real(self);
    if (Double.isNaN(number) || Double.isInfinite(number) || Math.abs(precision) > 300) {
      throw new Fault("round of %s to %d digits".formatted(number, precision));
    }
    RoundingMode mode =
        switch (method) {
          case "common" -> RoundingMode.HALF_EVEN;
          case "ceil" -> RoundingMode.CEILING;
          case "floor" -> RoundingMode.FLOOR;
          default -> throw new Fault("round has no method '" + method + "'");
        };
    Value rounded = new Value.Real(new BigDecimal(number).setScale(precision, mode).doubleValue());
    boolean keeps = method.equals("common") && Numbers.integer(self).isPresent();
    return keeps ? new Value.Int(new BigDecimal(Numbers.real(rounded)).toBigInteger()) : rounded;
  }
}
