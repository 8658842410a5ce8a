package io.gatun.model.template;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The methods of dictionaries. */
final class DictMethods {
  static final Map<String, Builtin> ALL = new HashMap<>();

  static {
    method(
        "get",
        (dict, a, e) ->
            dict.get(Equality.key(a.need("key"), e.budget()))
                .orElseGet(() -> a.value("default", Value.None.NONE)),
        "key",
        "default");
    method("items", (dict, _, e) -> items(dict, e.budget()));
    method(
        "keys",
        (dict, _, e) -> {
          e.budget().items(dict.entries().size());
          return Value.Items.list(dict.keys());
        });
    method(
        "values",
        (dict, _, e) -> {
          e.budget().items(dict.entries().size());
          return Value.Items.list(dict.entries().stream().map(Value.Dict.Entry::value).toList());
        });
    method(
        "copy",
        (dict, _, e) -> {
          Value.Dict copy = new Value.Dict();
          update(copy, dict, e);
          return copy;
        });
    method(
        "update",
        (dict, a, e) -> {
          a.rest().forEach(other -> update(dict, other, e));
          a.named().forEach(dict::put);
          return Value.None.NONE;
        },
        "**");
    method(
        "setdefault",
        (dict, a, e) -> {
          Object key = Equality.key(a.need("key"), e.budget());
          if (!dict.has(key)) {
            e.budget().items(1);
            dict.put(key, a.need("key"), a.value("default", Value.None.NONE));
          }
          return dict.get(key).orElseThrow();
        },
        "key",
        "default");
    method(
        "pop",
        (dict, a, e) -> {
          Value.Dict.Entry entry = dict.remove(Equality.key(a.need("key"), e.budget()));
          return entry == null ? a.need("default") : entry.value();
        },
        "key",
        "default");
    method(
        "clear",
        (dict, _, _) -> {
          dict.entries().clear();
          return Value.None.NONE;
        });
  }

  private interface Body {
    Value apply(Value.Dict dict, Arguments arguments, Evaluator evaluator);
  }

  private DictMethods() {}

  private static void method(String name, Body body, String... parameters) {
    ALL.put(
        name,
        Builtin.of(
            (self, a, e) -> {
              if (!(self instanceof Value.Dict dict)) {
                throw new Fault("'" + name + "' is a method of dictionaries");
              }
              return body.apply(dict, a, e);
            },
            parameters));
  }

  static Value.Items items(Value.Dict dict, Budget budget) {
    budget.items(3L * dict.entries().size());
    return Value.Items.list(
        dict.entries().stream().map(e -> Value.Items.tuple(e.key(), e.value())).toList());
  }

  /** Puts in what another dictionary, or a list of pairs, holds. */
  static void update(Value.Dict dict, Value from, Evaluator evaluator) {
    List<Value> pairs =
        from instanceof Value.Dict other
            ? items(other, evaluator.budget()).values()
            : evaluator.items(from);
    for (Value pair : pairs) {
      List<Value> both = evaluator.items(pair);
      if (both.size() != 2) {
        throw new Fault("a dictionary is made of pairs, not of %d values".formatted(both.size()));
      }
      dict.put(Equality.key(both.get(0), evaluator.budget()), both.get(0), both.get(1));
    }
  }
}
