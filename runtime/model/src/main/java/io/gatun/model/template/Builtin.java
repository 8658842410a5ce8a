package io.gatun.model.template;

import java.util.List;

/**
 * A filter, test, method or function.
 *
 * @param parameters its parameters' names; {@code "*"} as the last one takes any further positional
 *     argument, {@code "**"} also any named one
 */
record Builtin(List<String> parameters, Body body) {
  /** What it does; {@code self} is what a filter is applied to or a method belongs to. */
  interface Body {
    Value apply(Value self, Arguments arguments, Evaluator evaluator);
  }

  static Builtin of(Body body, String... parameters) {
    return new Builtin(List.of(parameters), body);
  }

  Value call(String name, Value self, Arguments.Given given, Evaluator evaluator) {
    return body.apply(self, given.bind(name, parameters), evaluator);
  }
}
