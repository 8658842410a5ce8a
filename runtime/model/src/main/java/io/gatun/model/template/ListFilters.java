package io.gatun.model.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Filters of lists, and of what can be read as one. */
final class ListFilters {
  static final Map<String, Builtin> ALL = new HashMap<>();

  static {
    Builtin length = Builtin.of(ListFilters::length);
    ALL.put("length", length);
    ALL.put("count", length);
    Builtin otherwise = Builtin.of(ListFilters::otherwise, "default_value", "boolean");
    ALL.put("default", otherwise);
    ALL.put("d", otherwise);
    ALL.put("first", Builtin.of((self, _, e) -> end(e.items(self), true)));
    ALL.put("last", Builtin.of((self, _, e) -> end(e.items(self), false)));
    ALL.put("list", Builtin.of((self, _, e) -> Value.Items.list(e.items(self))));
    ALL.put("reverse", Builtin.of(ListFilters::reverse));
    ALL.put(
        "join",
        Builtin.of(
            (self, a, e) -> {
              List<Value> items = e.items(self);
              UnaryOperator<Value> part = Attributes.getter(a, e);
              return new Value.Str(
                  join(
                      items.stream().map(part).toList(),
                      Printer.text(a.value("d", new Value.Str("")), e.budget()),
                      e));
            },
            "d",
            "attribute"));
    ALL.put(
        "sum",
        Builtin.of(
            (self, a, e) -> {
              Value sum = a.value("start", Value.Int.of(0));
              UnaryOperator<Value> part = Attributes.getter(a, e);
              for (Value item : e.items(self)) {
                sum = Operators.compute("+", sum, part.apply(item), e.budget());
              }
              return sum;
            },
            "attribute",
            "start"));
    ALL.put(
        "items",
        Builtin.of((self, _, e) ->
            switch (self) {
              case Value.Undefined _ -> Value.Items.list(List.of());
              case Value.Dict dict -> DictMethods.items(dict, e.budget());
              default -> throw new Fault("items of " + Types.name(self));
            }));
    ALL.put(
        "attr",
        Builtin.of((self, a, e) -> Access.attribute(self, a.text("name"), e.budget()), "name"));
    ALL.put("batch", Builtin.of(ListFilters::batch, "linecount", "fill_with"));
    ALL.put("slice", Builtin.of(ListFilters::slices, "slices", "fill_with"));
  }

  private ListFilters() {}

  private static Value length(Value self, Arguments a, Evaluator e) {
    return Value.Int.of(
        switch (self) {
          case Value.Undefined _ -> 0;
          case Value.Str(String text, boolean _) -> text.codePointCount(0, text.length());
          case Value.Items items -> items.values().size();
          case Value.Dict dict -> dict.entries().size();
          case Value.Loop loop -> loop.items.size();
          default -> throw new Fault(Types.name(self) + " has no length");
        });
  }

  private static Value otherwise(Value self, Arguments a, Evaluator e) {
    boolean replaced =
        self instanceof Value.Undefined || (a.flag("boolean", false) && !Truth.of(self));
    return replaced ? a.value("default_value", new Value.Str("")) : self;
  }

  private static Value end(List<Value> items, boolean first) {
    return items.isEmpty()
        ? new Value.Undefined("an item of an empty sequence")
        : first ? items.getFirst() : items.getLast();
  }

  private static Value reverse(Value self, Arguments a, Evaluator e) {
    if (self instanceof Value.Str(String text, boolean _)) {
      e.budget().chars(text.length());
      return new Value.Str(new StringBuilder(text).reverse().toString());
    }
    List<Value> items = new ArrayList<>(e.items(self));
    Collections.reverse(items);
    return Value.Items.list(items);
  }

  static String join(List<Value> items, String separator, Evaluator e) {
    StringBuilder out = new StringBuilder();
    boolean first = true;
    for (Value item : items) {
      if (!first) {
        e.budget().append(out, separator);
      }
      first = false;
      e.budget().append(out, Printer.text(item, e.budget()));
    }
    e.budget().chars(out.length());
    return out.toString();
  }

  private static Value batch(Value self, Arguments a, Evaluator e) {
    int size = positive(a.integer("linecount", 1));
    List<Value> items = e.items(self);
    List<Value> batches = new ArrayList<>();
    for (int from = 0; from < items.size(); from += size) {
      List<Value> batch =
          new ArrayList<>(
              items.subList(
                  from, Math.min((int) Math.min(from + (long) size, items.size()), items.size())));
      a.given("fill_with").ifPresent(fill -> fill(batch, size, fill, e));
      batches.add(Value.Items.list(batch));
    }
    return Value.Items.list(batches);
  }

  private static Value slices(Value self, Arguments a, Evaluator e) {
    int count = positive(a.integer("slices", 1));
    e.budget().items(count);
    List<Value> items = e.items(self);
    List<Value> slices = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < count; i++) {
      int size = items.size() / count + (i < items.size() % count ? 1 : 0);
      List<Value> slice = new ArrayList<>(items.subList(from, from + size));
      from += size;
      if (i >= items.size() % count) {
        a.given("fill_with").ifPresent(slice::add);
      }
      slices.add(Value.Items.list(slice));
    }
    return Value.Items.list(slices);
  }

  private static void fill(List<Value> batch, int size, Value fill, Evaluator e) {
    e.budget().items((long) size - batch.size());
    while (batch.size() < size) {
      batch.add(fill);
    }
  }

  private static int positive(int count) {
    if (count < 1) {
      throw new Fault("a count of " + count);
    }
    return count;
  }
}
