package io.gatun.model.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Optional;

/** Numbers as Python has them: integers of any size, and doubles. */
final class Numbers {
  /** The most bits of an integer: enough for everything but an attack. */
  private static final int BITS_MAX = 1 << 14;

  private Numbers() {}

  /** A value as an integer, where it is one; booleans are. */
  static Optional<BigInteger> integer(Value value) {
    return switch (value) {
      case Value.Int(BigInteger number) -> Optional.of(number);
      case Value.Bool(boolean bool) -> Optional.of(bool ? BigInteger.ONE : BigInteger.ZERO);
      default -> Optional.empty();
    };
  }

  static boolean number(Value value) {
    return value instanceof Value.Int || value instanceof Value.Real || value instanceof Value.Bool;
  }

  static double real(Value value) {
    if (value instanceof Value.Real(double number)) {
      return number;
    }
    double number = integer(value).orElseThrow(() -> new Fault("a number is needed")).doubleValue();
    if (Double.isInfinite(number)) {
      throw new Fault("an integer too large for a float");
    }
    return number;
  }

  static Value.Int bounded(BigInteger number) {
    if (number.bitLength() > BITS_MAX) {
      throw new Fault("an integer of more than %d bits".formatted(BITS_MAX));
    }
    return new Value.Int(number);
  }

  /** An integer that Java's own int holds. */
  static int index(Value value, String what) {
    BigInteger number =
        integer(value)
            .orElseThrow(() ->
                new Fault("%s should be an integer but is %s".formatted(what, Types.name(value))));
    if (number.bitLength() > 31) {
      throw new Fault("%s is too large: %s".formatted(what, number));
    }
    return number.intValue();
  }

  static Value negated(Value value) {
    return value instanceof Value.Real(double number)
        ? new Value.Real(-number)
        : new Value.Int(needInteger(value).negate());
  }

  static Value absolute(Value value) {
    return value instanceof Value.Real(double number)
        ? new Value.Real(Math.abs(number))
        : new Value.Int(needInteger(value).abs());
  }

  private static BigInteger needInteger(Value value) {
    return integer(value)
        .orElseThrow(() -> new Fault("a number is needed, not " + Types.name(value)));
  }

  static Value compute(String operator, Value left, Value right) {
    Optional<BigInteger> a = integer(left);
    Optional<BigInteger> b = integer(right);
    if (a.isPresent() && b.isPresent() && !operator.equals("/")) {
      boolean inverse = operator.equals("**") && b.get().signum() < 0;
      return inverse
          ? reals(operator, real(left), real(right))
          : integers(operator, a.get(), b.get());
    }
    return reals(operator, real(left), real(right));
  }

  private static Value integers(String operator, BigInteger a, BigInteger b) {
    return bounded(
        switch (operator) {
          case "+" -> a.add(b);
          case "-" -> a.subtract(b);
          case "*" -> a.multiply(b);
          case "//" -> floored(a, b)[0];
          case "%" -> floored(a, b)[1];
          default -> {
            if ((long) a.bitLength() * b.bitLength() > 0
                && (b.bitLength() > 31 || (long) a.bitLength() * b.intValue() > BITS_MAX * 2L)
                && a.abs().compareTo(BigInteger.ONE) > 0) {
              throw new Fault("an integer of more than %d bits".formatted(BITS_MAX));
            }
            yield a.abs().compareTo(BigInteger.ONE) <= 0
                ? a.pow(b.testBit(0) ? 1 : b.signum() == 0 ? 0 : 2)
                : a.pow(b.intValue());
          }
        });
  }

  private static BigInteger[] floored(BigInteger a, BigInteger b) {
    if (b.signum() == 0) {
      throw new Fault("division by zero");
    }
    BigInteger[] both = a.divideAndRemainder(b);
    if (both[1].signum() != 0 && both[1].signum() != b.signum()) {
      both[0] = both[0].subtract(BigInteger.ONE);
      both[1] = both[1].add(b);
    }
    return both;
  }

  private static Value reals(String operator, double a, double b) {
    if (b == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
      throw new Fault("division by zero");
    }
    return new Value.Real(
        switch (operator) {
          case "+" -> a + b;
          case "-" -> a - b;
          case "*" -> a * b;
          case "/" -> a / b;
          case "//" -> Math.floor(a / b);
          case "%" -> a - Math.floor(a / b) * b;
          default -> Math.pow(a, b);
        });
  }

  static int compare(Value left, Value right) {
    Optional<BigInteger> a = integer(left);
    Optional<BigInteger> b = integer(right);
    if (a.isPresent() && b.isPresent()) {
      return a.get().compareTo(b.get());
    }
    return Double.compare(real(left) + 0.0, real(right) + 0.0);
  }

  /** Python's {@code repr} of a double: the shortest digits that read back as the same. */
  static String text(double number) {
    if (Double.isNaN(number)) {
      return "nan";
    }
    if (Double.isInfinite(number)) {
      return number > 0 ? "inf" : "-inf";
    }
    String sign = number < 0 || (number == 0 && 1 / number < 0) ? "-" : "";
    if (number == 0) {
      return sign + "0.0";
    }
    BigDecimal shortest = new BigDecimal(Double.toString(Math.abs(number))).stripTrailingZeros();
    int exponent = shortest.precision() - shortest.scale() - 1;
    if (exponent >= -4 && exponent < 16) {
      String plain = shortest.toPlainString();
      return sign + (plain.contains(".") ? plain : plain + ".0");
    }
    String digits = shortest.unscaledValue().toString();
    String mantissa = digits.length() > 1 ? digits.charAt(0) + "." + digits.substring(1) : digits;
    return "%s%se%s%02d".formatted(sign, mantissa, exponent < 0 ? "-" : "+", Math.abs(exponent));
  }
}
