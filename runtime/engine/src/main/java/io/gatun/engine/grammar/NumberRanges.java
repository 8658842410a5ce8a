package io.gatun.engine.grammar;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/**
 * Decimal numbers between bounds, as they are written in JSON: whole parts of at most 16 digits,
 * which a double holds exactly up to the last.
 */
final class NumberRanges {
  static final int DIGITS_MAX = 16;
  private static final BigInteger LARGEST = BigInteger.TEN.pow(DIGITS_MAX).subtract(BigInteger.ONE);
  private static final Expr DIGIT = Expr.digits('0', '9');
  private static final Expr FRACTION = Expr.seq(Expr.text("."), new Expr.Repeat(DIGIT, 1, 16));
  private static final Expr ZEROS =
      Expr.seq(Expr.text("."), new Expr.Repeat(Expr.text("0"), 1, 16));
  private static final Expr ABOVE_ZERO =
      Expr.seq(
          Expr.text("."),
          new Expr.Repeat(Expr.text("0"), 0, 15),
          Expr.digits('1', '9'),
          new Expr.Repeat(DIGIT, 0, 15));

  private NumberRanges() {}

  /** Whole numbers from low to high, both included. Low must not be above high. */
  static Expr integers(BigInteger low, BigInteger high) {
    List<Expr> options = new ArrayList<>();
    if (low.signum() < 0) {
      BigInteger last = high.signum() < 0 ? high.negate() : BigInteger.ONE;
      options.add(Expr.seq(Expr.text("-"), naturals(last, low.negate().min(LARGEST))));
    }
    if (high.signum() >= 0) {
      options.add(naturals(low.max(BigInteger.ZERO), high.min(LARGEST)));
    }
    return Expr.alt(options);
  }

  /** The largest whole number that is written, either sign. */
  static BigInteger largest() {
    return LARGEST;
  }

  /**
   * Numbers with or without fraction between whole bounds.
   *
   * @param aboveLow whether low itself is excluded
   * @param belowHigh whether high itself is excluded
   */
  static Expr numbers(BigInteger low, boolean aboveLow, BigInteger high, boolean belowHigh) {
    List<Expr> options = new ArrayList<>();
    if (low.signum() < 0) {
      boolean negativeHigh = high.signum() < 0;
      options.add(
          Expr.seq(
              Expr.text("-"),
              positives(
                  negativeHigh ? high.negate() : BigInteger.ZERO,
                  negativeHigh ? belowHigh : high.signum() > 0 || belowHigh,
                  low.negate(),
                  aboveLow)));
    }
    if (high.signum() > 0 || (high.signum() == 0 && !belowHigh)) {
      boolean positiveLow = low.signum() > 0;
      options.add(
          positives(
              positiveLow ? low : BigInteger.ZERO, low.signum() >= 0 && aboveLow, high, belowHigh));
    }
    return Expr.alt(options);
  }

  private static Expr positives(
      BigInteger low, boolean aboveLow, BigInteger high, boolean belowHigh) {
    List<Expr> options = new ArrayList<>();
    BigInteger last = high.subtract(BigInteger.ONE);
    if (low.equals(high)) {
      options.add(Expr.seq(Expr.text(low.toString()), Expr.optional(ZEROS)));
      return Expr.alt(options);
    }
    if (aboveLow) {
      options.add(Expr.seq(Expr.text(low.toString()), ABOVE_ZERO));
    }
    BigInteger first = aboveLow ? low.add(BigInteger.ONE) : low;
    if (first.compareTo(last) <= 0) {
      options.add(Expr.seq(naturals(first, last.min(LARGEST)), Expr.optional(FRACTION)));
    }
    if (!belowHigh && high.compareTo(LARGEST) <= 0) {
      options.add(Expr.seq(Expr.text(high.toString()), Expr.optional(ZEROS)));
    }
    return Expr.alt(options);
  }

  private static Expr naturals(BigInteger low, BigInteger high) {
    List<Expr> options = new ArrayList<>();
    BigInteger from = low;
    while (from.compareTo(high) <= 0) {
      int digits = from.toString().length();
      BigInteger last = BigInteger.TEN.pow(digits).subtract(BigInteger.ONE).min(high);
      options.add(between(from.toString(), last.toString()));
      from = last.add(BigInteger.ONE);
    }
    return Expr.alt(options);
  }

  /** Numbers of the same length. */
  private static Expr between(String low, String high) {
    if (low.isEmpty()) {
      return Expr.empty();
    }
    char a = low.charAt(0);
    char b = high.charAt(0);
    String lowRest = low.substring(1);
    String highRest = high.substring(1);
    int rest = lowRest.length();
    boolean fromZeros = lowRest.equals("0".repeat(rest));
    boolean toNines = highRest.equals("9".repeat(rest));
    if (a == b || (fromZeros && toNines)) {
      return Expr.seq(
          Expr.digits(a, b),
          fromZeros && toNines ? new Expr.Repeat(DIGIT, rest, rest) : between(lowRest, highRest));
    }
    List<Expr> options = new ArrayList<>();
    char first = a;
    char last = b;
    if (!fromZeros) {
      options.add(Expr.seq(Expr.digits(a, a), between(lowRest, "9".repeat(rest))));
      first++;
    }
    if (!toNines) {
      last--;
    }
    if (first <= last) {
      options.add(Expr.seq(Expr.digits(first, last), new Expr.Repeat(DIGIT, rest, rest)));
    }
    if (!toNines) {
      options.add(Expr.seq(Expr.digits(b, b), between("0".repeat(rest), highRest)));
    }
    return Expr.alt(options);
  }
}
