package io.gatun.model.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** When values are equal, which comes first, and how they are hashed: Python's rules. */
final class Equality {
  private Equality() {}

  static boolean equal(Value a, Value b, Budget budget) {
    budget.step();
    if (Numbers.number(a) && Numbers.number(b)) {
      return Numbers.compare(a, b) == 0;
    }
    return switch (a) {
      case Value.Str(String text, boolean _) ->
          b instanceof Value.Str(String other, boolean _) && text.equals(other);
      case Value.Undefined _ -> b instanceof Value.Undefined;
      case Value.Items items ->
          b instanceof Value.Items others
              && items.tuple() == others.tuple()
              && equal(items.values(), others.values(), budget);
      case Value.Dict dict -> b instanceof Value.Dict other && equal(dict, other, budget);
      default -> a.equals(b);
    };
  }

  private static boolean equal(List<Value> a, List<Value> b, Budget budget) {
    budget.enter();
    boolean equal = a.size() == b.size();
    for (int i = 0; equal && i < a.size(); i++) {
      equal = equal(a.get(i), b.get(i), budget);
    }
    budget.leave();
    return equal;
  }

  private static boolean equal(Value.Dict a, Value.Dict b, Budget budget) {
    budget.enter();
    boolean equal = a.entries().size() == b.entries().size();
    for (Value.Dict.Entry entry : a.entries()) {
      if (equal) {
        equal =
            b.get(key(entry.key(), budget))
                .filter(v -> equal(entry.value(), v, budget))
                .isPresent();
      }
    }
    budget.leave();
    return equal;
  }

  /** What a value is as a key: equal objects for equal values. */
  static Object key(Value value, Budget budget) {
    budget.step();
    return switch (value) {
      case Value.Str(String text, boolean _) -> text;
      case Value.Int(BigInteger number) -> number;
      case Value.Bool(boolean bool) -> bool ? BigInteger.ONE : BigInteger.ZERO;
      case Value.Real(double number) ->
          number == Math.rint(number) && !Double.isInfinite(number)
              ? new BigDecimal(number).toBigInteger()
              : (Object) number;
      case Value.None none -> none;
      case Value.Undefined _ -> Value.Undefined.class;
      case Value.Items items when items.tuple() -> {
        budget.enter();
        List<Object> keys = new ArrayList<>();
        items.values().forEach(item -> keys.add(key(item, budget)));
        budget.leave();
        yield keys;
      }
      case Value.Function function -> function.name();
      default -> throw new Fault(Types.name(value) + " cannot be a key");
    };
  }

  /** The order of two values, where they have one. */
  static int compare(Value a, Value b, Budget budget) {
    budget.step();
    if (Numbers.number(a) && Numbers.number(b)) {
      return Numbers.compare(a, b);
    }
    if (a instanceof Value.Str(String text, boolean _)
        && b instanceof Value.Str(String other, boolean _)) {
      return compareText(text, other);
    }
    if (a instanceof Value.Items items
        && b instanceof Value.Items others
        && items.tuple() == others.tuple()) {
      budget.enter();
      int order = compare(items.values(), others.values(), budget);
      budget.leave();
      return order;
    }
    throw new Fault("%s and %s have no order".formatted(Types.name(a), Types.name(b)));
  }

  private static int compare(List<Value> a, List<Value> b, Budget budget) {
    for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
      if (!equal(a.get(i), b.get(i), budget)) {
        return compare(a.get(i), b.get(i), budget);
      }
    }
    return Integer.compare(a.size(), b.size());
  }

  /** By code points, as Python compares; Java's own order puts surrogates elsewhere. */
  private static int compareText(String a, String b) {
    int i = 0;
    while (i < a.length() && i < b.length()) {
      int left = a.codePointAt(i);
      int right = b.codePointAt(i);
      if (left != right) {
        return Integer.compare(left, right);
      }
      i += Character.charCount(left);
    }
    return Integer.compare(a.length(), b.length());
  }
}
