package io.gatun.engine.grammar;

import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Members;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Optional;

/** Numbers, between bounds. */
final class SchemaNumbers {
  private SchemaNumbers() {}

  static Expr number(String type, Members schema, String path) {
    Optional<BigDecimal> low = bound(schema, "minimum", path);
    Optional<BigDecimal> above = bound(schema, "exclusiveMinimum", path);
    Optional<BigDecimal> high = bound(schema, "maximum", path);
    Optional<BigDecimal> below = bound(schema, "exclusiveMaximum", path);
    boolean whole = type.equals("integer") || multipleOfOne(schema, path);
    if (low.isEmpty() && above.isEmpty() && high.isEmpty() && below.isEmpty()) {
      return whole ? JsonText.INTEGER : JsonText.NUMBER;
    }
    boolean openLow = above.isPresent() && (low.isEmpty() || above.get().compareTo(low.get()) >= 0);
    boolean openHigh =
        below.isPresent() && (high.isEmpty() || below.get().compareTo(high.get()) <= 0);
    BigDecimal largest = new BigDecimal(NumberRanges.largest());
    BigDecimal from = openLow ? above.get() : low.orElse(largest.negate());
    BigDecimal to = openHigh ? below.get() : high.orElse(largest);
    return whole
        ? integers(from, openLow, to, openHigh, path)
        : numbers(from, openLow, to, openHigh, path);
  }

  private static Expr integers(
      BigDecimal from, boolean openLow, BigDecimal to, boolean openHigh, String path) {
    BigInteger first = from.setScale(0, RoundingMode.CEILING).toBigInteger();
    BigInteger last = to.setScale(0, RoundingMode.FLOOR).toBigInteger();
    if (openLow && from.compareTo(new BigDecimal(first)) == 0) {
      first = first.add(BigInteger.ONE);
    }
    if (openHigh && to.compareTo(new BigDecimal(last)) == 0) {
      last = last.subtract(BigInteger.ONE);
    }
    BigInteger largest = NumberRanges.largest();
    if (first.compareTo(last.min(largest)) > 0 || last.compareTo(largest.negate()) < 0) {
      throw new GrammarException(path + ": no integer of 16 digits lies between the bounds");
    }
    return NumberRanges.integers(first, last);
  }

  private static Expr numbers(
      BigDecimal from, boolean openLow, BigDecimal to, boolean openHigh, String path) {
    if (from.stripTrailingZeros().scale() > 0 || to.stripTrailingZeros().scale() > 0) {
      throw new GrammarException(path + ": bounds of numbers that are not whole are not supported");
    }
    int order = from.compareTo(to);
    BigDecimal largest = new BigDecimal(NumberRanges.largest());
    if (order > 0
        || (order == 0 && (openLow || openHigh))
        || from.compareTo(largest) > 0
        || to.compareTo(largest.negate()) < 0) {
      throw new GrammarException(path + ": no number of 16 digits lies between the bounds");
    }
    return NumberRanges.numbers(from.toBigInteger(), openLow, to.toBigInteger(), openHigh);
  }

  private static boolean multipleOfOne(Members schema, String path) {
    Optional<BigDecimal> factor = bound(schema, "multipleOf", path);
    if (factor.isPresent() && factor.get().compareTo(BigDecimal.ONE) != 0) {
      throw new GrammarException(path + ": multipleOf other than 1 is not supported");
    }
    return factor.isPresent();
  }

  private static Optional<BigDecimal> bound(Members schema, String keyword, String path) {
    Optional<JsonValue> value = schema.get(keyword);
    if (value.isEmpty()) {
      return Optional.empty();
    }
    if (!(value.get() instanceof JsonValue.Number number)) {
      throw new GrammarException("%s: %s must be a number".formatted(path, keyword));
    }
    BigDecimal bound = number.decimal();
    if (bound.precision() - bound.scale() > 400 || bound.scale() > 400) {
      throw new GrammarException("%s: %s is out of range".formatted(path, keyword));
    }
    return Optional.of(bound);
  }
}
