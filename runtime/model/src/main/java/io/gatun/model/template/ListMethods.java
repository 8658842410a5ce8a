package io.gatun.model.template;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The methods of lists. */
final class ListMethods {
  static final Map<String, Builtin> OF_TUPLES =
      Map.of(
          "count", Builtin.of((self, a, e) -> count(list(self), a.need("value"), e), "value"),
          "index", Builtin.of((self, a, e) -> index(list(self), a.need("value"), e), "value"));

  static final Map<String, Builtin> ALL = new HashMap<>(OF_TUPLES);

  static {
    change(
        "append",
        (values, a, e) -> {
          e.budget().items(1);
          values.add(a.need("value"));
          return Value.None.NONE;
        },
        "value");
    change(
        "extend",
        (values, a, e) -> {
          values.addAll(e.items(a.need("values")));
          return Value.None.NONE;
        },
        "values");
    change(
        "insert",
        (values, a, e) -> {
          e.budget().items(1);
          int at = a.integer("index", 0);
          values.add(
              Math.clamp(at < 0 ? at + values.size() : at, 0, values.size()), a.need("value"));
          return Value.None.NONE;
        },
        "index",
        "value");
    change("pop", (values, a, _) -> pop(values, a.integer("index", -1)), "index");
    change(
        "reverse",
        (values, _, _) -> {
          java.util.Collections.reverse(values);
          return Value.None.NONE;
        });
    change(
        "clear",
        (values, _, _) -> {
          values.clear();
          return Value.None.NONE;
        });
    change(
        "copy",
        (values, _, e) -> {
          e.budget().items(values.size());
          return Value.Items.list(values);
        });
  }

  private interface Body {
    Value apply(List<Value> values, Arguments arguments, Evaluator evaluator);
  }

  private ListMethods() {}

  private static void change(String name, Body body, String... parameters) {
    ALL.put(name, Builtin.of((self, a, e) -> body.apply(list(self), a, e), parameters));
  }

  private static List<Value> list(Value self) {
    if (self instanceof Value.Items items) {
      return items.values();
    }
    throw new Fault("a method of lists on " + Types.name(self));
  }

  private static Value pop(List<Value> values, int index) {
    int at = index < 0 ? index + values.size() : index;
    if (at < 0 || at >= values.size()) {
      throw new Fault("pop of item %d of %d".formatted(index, values.size()));
    }
    return values.remove(at);
  }

  private static Value count(List<Value> values, Value wanted, Evaluator e) {
    return Value.Int.of(values.stream().filter(v -> Equality.equal(v, wanted, e.budget())).count());
  }

  private static Value index(List<Value> values, Value wanted, Evaluator e) {
    for (int i = 0; i < values.size(); i++) {
      if (Equality.equal(values.get(i), wanted, e.budget())) {
        return Value.Int.of(i);
      }
    }
    throw new Fault("the value is not in the list");
  }
}
