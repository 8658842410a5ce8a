package io.gatun.model.template;

import io.gatun.model.template.Arguments.Given;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/** Filters that apply tests or other filters to every item. */
final class ChoiceFilters {
  static final Map<String, Builtin> ALL =
      Map.of(
          "select", Builtin.of((self, a, e) -> choose(self, a, e, false, true), "**"),
          "reject", Builtin.of((self, a, e) -> choose(self, a, e, false, false), "**"),
          "selectattr", Builtin.of((self, a, e) -> choose(self, a, e, true, true), "**"),
          "rejectattr", Builtin.of((self, a, e) -> choose(self, a, e, true, false), "**"),
          "map", Builtin.of(ChoiceFilters::map, "**"));

  private ChoiceFilters() {}

  private static Value choose(
      Value self, Arguments a, Evaluator e, boolean byAttribute, boolean wanted) {
    List<Value> rest = a.rest();
    UnaryOperator<Value> part = UnaryOperator.identity();
    if (byAttribute) {
      if (rest.isEmpty()) {
        throw new Fault("the name of an attribute is missing");
      }
      part = Attributes.getter(rest.getFirst(), a, e);
      rest = rest.subList(1, rest.size());
    }
    Predicate<Value> test = test(rest, a, e);
    List<Value> chosen = new ArrayList<>();
    for (Value item : items(self, e)) {
      if (test.test(part.apply(item)) == wanted) {
        chosen.add(item);
      }
    }
    return Value.Items.list(chosen);
  }

  /** As in Jinja, what counts as false has no items, {@code none} among it. */
  private static List<Value> items(Value self, Evaluator e) {
    return Truth.of(self) ? e.items(self) : List.of();
  }

  private static Predicate<Value> test(List<Value> rest, Arguments a, Evaluator e) {
    if (rest.isEmpty()) {
      return Truth::of;
    }
    String name = Printer.text(rest.getFirst(), e.budget());
    Given given = new Given(rest.subList(1, rest.size()), a.named());
    return item -> e.test(name, item, given);
  }

  private static Value map(Value self, Arguments a, Evaluator e) {
    UnaryOperator<Value> change;
    if (a.named().containsKey("attribute") && a.rest().isEmpty()) {
      Map<String, Value> unknown = new HashMap<>(a.named());
      unknown.keySet().removeAll(List.of("attribute", "default"));
      if (!unknown.isEmpty()) {
        throw new Fault("map has no parameter '%s'".formatted(unknown.keySet().iterator().next()));
      }
      change = Attributes.getter(a, e);
    } else if (a.rest().isEmpty()) {
      throw new Fault("map without a filter");
    } else {
      String name = Printer.text(a.rest().getFirst(), e.budget());
      Given given = new Given(a.rest().subList(1, a.rest().size()), a.named());
      change = item -> e.filter(name, item, given);
    }
    List<Value> mapped = new ArrayList<>();
    for (Value item : items(self, e)) {
      mapped.add(change.apply(item));
    }
    return Value.Items.list(mapped);
  }
}
