package io.gatun.model.template;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The functions that every template may call. */
final class Functions {
  static final Map<String, Builtin> ALL =
      Map.of(
          "range", Builtin.of(Functions::range, "*"),
          "namespace", Builtin.of(Functions::namespace, "**"),
          "dict", Builtin.of(Functions::dict, "**"),
          "joiner", Builtin.of(Functions::joiner, "sep"),
          "raise_exception", Builtin.of(Functions::raise, "message"),
          "strftime_now",
              Builtin.of(
                  (_, a, e) ->
                      new Value.Str(TimeFormat.format(a.text("format"), e.clock(), e.budget())),
                  "format"));

  private Functions() {}

  private static Value range(Value self, Arguments arguments, Evaluator evaluator) {
    List<Value> given = arguments.rest();
    if (given.isEmpty() || given.size() > 3) {
      throw new Fault("range takes one to three arguments, not " + given.size());
    }
    long from = given.size() == 1 ? 0 : Numbers.index(given.get(0), "a range's start");
    long to = Numbers.index(given.get(given.size() == 1 ? 0 : 1), "a range's end");
    long by = given.size() < 3 ? 1 : Numbers.index(given.get(2), "a range's step");
    if (by == 0) {
      throw new Fault("a range's step is 0");
    }
    long count = Math.max(0, by > 0 ? Math.ceilDiv(to - from, by) : Math.ceilDiv(from - to, -by));
    evaluator.budget().items(count);
    List<Value> values = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      values.add(Value.Int.of(from + i * by));
    }
    return Value.Items.list(values);
  }

  private static Value namespace(Value self, Arguments arguments, Evaluator evaluator) {
    Map<String, Value> attributes = new HashMap<>();
    dict(self, arguments, evaluator)
        .entries()
        .forEach(e -> attributes.put(Printer.text(e.key(), evaluator.budget()), e.value()));
    return new Value.Namespace(attributes);
  }

  private static Value.Dict dict(Value self, Arguments arguments, Evaluator evaluator) {
    Value.Dict dict = new Value.Dict();
    if (arguments.rest().size() > 1) {
      throw new Fault("a dictionary from more than one value");
    }
    for (Value start : arguments.rest()) {
      DictMethods.update(dict, start, evaluator);
    }
    arguments.named().forEach(dict::put);
    return dict;
  }

  /** A function that gives nothing the first time and its separator from then on. */
  private static Value joiner(Value self, Arguments arguments, Evaluator evaluator) {
    Value separator = arguments.value("sep", new Value.Str(", "));
    boolean[] used = new boolean[1];
    return new Value.Function(
        "joiner",
        Builtin.of((_, _, _) -> {
          Value text = used[0] ? separator : new Value.Str("");
          used[0] = true;
          return text;
        }));
  }

  private static Value raise(Value self, Arguments arguments, Evaluator evaluator) {
    throw new Fault(Printer.text(arguments.need("message"), evaluator.budget()), true);
  }
}
