package io.gatun.model.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/** Filters that compare items. Strings are compared without regard to case unless asked. */
final class OrderFilters {
  static final Map<String, Builtin> ALL =
      Map.of(
          "sort", Builtin.of(OrderFilters::sort, "reverse", "case_sensitive", "attribute"),
          "dictsort", Builtin.of(OrderFilters::dictsort, "case_sensitive", "by", "reverse"),
          "unique", Builtin.of(OrderFilters::unique, "case_sensitive", "attribute"),
          "min", Builtin.of((self, a, e) -> extreme(self, a, e, 1), "case_sensitive", "attribute"),
          "max", Builtin.of((self, a, e) -> extreme(self, a, e, -1), "case_sensitive", "attribute"),
          "groupby", Builtin.of(OrderFilters::groupby, "attribute", "default", "case_sensitive"));

  private OrderFilters() {}

  /** What an item is compared by. */
  private static UnaryOperator<Value> key(Arguments a, Evaluator e) {
    return folding(a, Attributes.getter(a, e));
  }

  private static UnaryOperator<Value> folding(Arguments a, UnaryOperator<Value> getter) {
    return item -> fold(getter.apply(item), a.flag("case_sensitive", false));
  }

  private static Value fold(Value value, boolean caseSensitive) {
    return !caseSensitive && value instanceof Value.Str(String text, boolean _)
        ? new Value.Str(Spaces.lower(text))
        : value;
  }

  private static List<Value> sorted(
      List<Value> items, UnaryOperator<Value> key, boolean reverse, Evaluator e) {
    Comparator<Value> order = (a, b) -> Equality.compare(key.apply(a), key.apply(b), e.budget());
    List<Value> sorted = new ArrayList<>(items);
    try {
      sorted.sort(reverse ? order.reversed() : order);
    } catch (IllegalArgumentException _) {
      throw new Fault("the items have no consistent order");
    }
    return sorted;
  }

  private static Value sort(Value self, Arguments a, Evaluator e) {
    return Value.Items.list(sorted(e.items(self), key(a, e), a.flag("reverse", false), e));
  }

  private static Value dictsort(Value self, Arguments a, Evaluator e) {
    if (!(self instanceof Value.Dict dict)) {
      throw new Fault("dictsort of " + Types.name(self));
    }
    String by = a.text("by", "key");
    if (!by.equals("key") && !by.equals("value")) {
      throw new Fault("dictsort by '%s'; 'key' or 'value' is expected".formatted(by));
    }
    Value place = Value.Int.of(by.equals("key") ? 0 : 1);
    UnaryOperator<Value> key = folding(a, pair -> Access.item(pair, place, e.budget()));
    return Value.Items.list(
        sorted(DictMethods.items(dict, e.budget()).values(), key, a.flag("reverse", false), e));
  }

  private static Value unique(Value self, Arguments a, Evaluator e) {
    UnaryOperator<Value> key = key(a, e);
    Set<Object> seen = new HashSet<>();
    List<Value> unique = new ArrayList<>();
    for (Value item : e.items(self)) {
      if (seen.add(Equality.key(key.apply(item), e.budget()))) {
        unique.add(item);
      }
    }
    return Value.Items.list(unique);
  }

  private static Value extreme(Value self, Arguments a, Evaluator e, int sign) {
    List<Value> items = e.items(self);
    if (items.isEmpty()) {
      return new Value.Undefined("an item of an empty sequence");
    }
    UnaryOperator<Value> key = key(a, e);
    Comparator<Value> order =
        (x, y) -> sign * Equality.compare(key.apply(x), key.apply(y), e.budget());
    return Collections.min(items, order);
  }

  private static Value groupby(Value self, Arguments a, Evaluator e) {
    UnaryOperator<Value> key = key(a, e);
    Map<Object, List<Value>> groups = new LinkedHashMap<>();
    for (Value item : sorted(e.items(self), key, false, e)) {
      groups
          .computeIfAbsent(Equality.key(key.apply(item), e.budget()), _ -> new ArrayList<>())
          .add(item);
    }
    UnaryOperator<Value> shown = Attributes.getter(a, e);
    List<Value> pairs = new ArrayList<>();
    groups
        .values()
        .forEach(group ->
            pairs.add(Value.Items.tuple(shown.apply(group.getFirst()), Value.Items.list(group))));
    return Value.Items.list(pairs);
  }
}
