package io.gatun.model.template;

import java.util.ArrayList;
import java.util.List;

/** Arithmetic and comparisons between values of any type. */
final class Operators {
  private Operators() {}

  static Value compute(String operator, Value left, Value right, Budget budget) {
    if (Numbers.number(left) && Numbers.number(right)) {
      return Numbers.compute(operator, left, right);
    }
    if (operator.equals("+")) {
      return add(left, right, budget);
    }
    if (operator.equals("*") && Numbers.integer(right).isPresent()) {
      return repeat(left, Numbers.index(right, "a count"), budget);
    }
    if (operator.equals("*") && Numbers.integer(left).isPresent()) {
      return repeat(right, Numbers.index(left, "a count"), budget);
    }
    if (operator.equals("%") && left instanceof Value.Str(String pattern, boolean _)) {
      return new Value.Str(PercentFormat.format(pattern, right, budget));
    }
    throw unfit(operator, left, right);
  }

  private static Fault unfit(String operator, Value left, Value right) {
    return new Fault(
        "'%s' does not go with %s and %s".formatted(operator, Types.name(left), Types.name(right)));
  }

  private static Value add(Value left, Value right, Budget budget) {
    if (left instanceof Value.Str a && right instanceof Value.Str b) {
      budget.chars((long) a.text().length() + b.text().length());
      if (a.safe() == b.safe()) {
        return new Value.Str(a.text() + b.text(), a.safe());
      }
      return new Value.Str(Html.escaped(a, budget) + Html.escaped(b, budget), true);
    }
    if (left instanceof Value.Items a && right instanceof Value.Items b && a.tuple() == b.tuple()) {
      budget.items((long) a.values().size() + b.values().size());
      List<Value> both = new ArrayList<>(a.values());
      both.addAll(b.values());
      return new Value.Items(both, a.tuple());
    }
    throw unfit("+", left, right);
  }

  private static Value repeat(Value value, int count, Budget budget) {
    int times = Math.max(count, 0);
    switch (value) {
      case Value.Str(String text, boolean safe) -> {
        budget.chars((long) text.length() * times);
        return new Value.Str(text.repeat(times), safe);
      }
      case Value.Items items -> {
        budget.items((long) items.values().size() * times);
        List<Value> repeated = new ArrayList<>();
        for (int i = 0; i < times && !items.values().isEmpty(); i++) {
          repeated.addAll(items.values());
        }
        return new Value.Items(repeated, items.tuple());
      }
      default -> throw unfit("*", value, Value.Int.of(count));
    }
  }

  static boolean holds(String operator, Value left, Value right, Budget budget) {
    return switch (operator) {
      case "==" -> Equality.equal(left, right, budget);
      case "!=" -> !Equality.equal(left, right, budget);
      case "in" -> contains(right, left, budget);
      case "not in" -> !contains(right, left, budget);
      default -> {
        boolean notANumber =
            (left instanceof Value.Real(double a) && Double.isNaN(a))
                || (right instanceof Value.Real(double b) && Double.isNaN(b));
        int order = Equality.compare(left, right, budget);
        yield !notANumber
            && switch (operator) {
              case "<" -> order < 0;
              case "<=" -> order <= 0;
              case ">" -> order > 0;
              default -> order >= 0;
            };
      }
    };
  }

  static boolean contains(Value container, Value item, Budget budget) {
    return switch (container) {
      case Value.Str(String text, boolean _) -> {
        if (!(item instanceof Value.Str(String part, boolean _))) {
          throw new Fault("a string contains strings, not " + Types.name(item));
        }
        yield text.contains(part);
      }
      case Value.Items items ->
          items.values().stream().anyMatch(v -> Equality.equal(v, item, budget));
      case Value.Dict dict -> dict.has(Equality.key(item, budget));
      case Value.Undefined _ -> false;
      default -> throw new Fault(Types.name(container) + " contains nothing");
    };
  }
}
