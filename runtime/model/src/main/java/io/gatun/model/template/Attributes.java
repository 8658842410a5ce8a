package io.gatun.model.template;

import java.util.function.UnaryOperator;

/** The argument {@code attribute} of filters: {@code 'a.b'} or a number. */
final class Attributes {
  private Attributes() {}

  /** What takes the attribute that the arguments name from an item; the item itself without. */
  static UnaryOperator<Value> getter(Arguments a, Evaluator e) {
    return a.given("attribute").map(path -> getter(path, a, e)).orElse(UnaryOperator.identity());
  }

  static UnaryOperator<Value> getter(Value path, Arguments a, Evaluator e) {
    if (Numbers.integer(path).isPresent()) {
      return item -> orDefault(Access.item(item, path, e.budget()), a);
    }
    String[] parts = Printer.text(path, e.budget()).split("\\.", -1);
    return item -> {
      Value value = item;
      for (String part : parts) {
        boolean number =
            !part.isEmpty()
                && part.length() < 9
                && part.chars().allMatch(c -> c >= '0' && c <= '9');
        value =
            Access.item(
                value,
                number ? Value.Int.of(Long.parseLong(part)) : new Value.Str(part),
                e.budget());
        value = orDefault(value, a);
      }
      return value;
    };
  }

  private static Value orDefault(Value value, Arguments a) {
    return value instanceof Value.Undefined ? a.value("default", value) : value;
  }
}
