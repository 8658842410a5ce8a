package io.gatun.model.template;

import io.gatun.model.template.Arguments.Given;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Evaluates the expressions of one rendering. */
final class Evaluator {
  private final Budget budget;
  private final Clock clock;

  Evaluator(Budget budget, Clock clock) {
    this.budget = budget;
    this.clock = clock;
  }

  Budget budget() {
    return budget;
  }

  Clock clock() {
    return clock;
  }

  Value value(Expr expression, Scope scope) {
    budget.step();
    budget.enter();
    Value value =
        switch (expression) {
          case Expr.Constant(Value constant) -> constant;
          case Expr.Name(String name) -> scope.get(name);
          case Expr.Items(List<Expr> items, boolean tuple) ->
              new Value.Items(values(items, scope), tuple);
          case Expr.Pairs pairs -> dictionary(pairs, scope);
          case Expr.Not(Expr operand) -> Value.Bool.of(!Truth.of(value(operand, scope)));
          case Expr.Sign(boolean minus, Expr operand) -> sign(minus, value(operand, scope));
          case Expr.Both(Expr left, Expr right) -> {
            Value first = value(left, scope);
            yield Truth.of(first) ? value(right, scope) : first;
          }
          case Expr.Either(Expr left, Expr right) -> {
            Value first = value(left, scope);
            yield Truth.of(first) ? first : value(right, scope);
          }
          case Expr.Arithmetic(String operator, Expr left, Expr right) ->
              Operators.compute(operator, value(left, scope), value(right, scope), budget);
          case Expr.Comparison comparison -> compare(comparison, scope);
          case Expr.Joined(List<Expr> parts) -> joined(parts, scope);
          case Expr.Choice choice -> choose(choice, scope);
          case Expr.Attribute(Expr of, String name) ->
              Access.attribute(value(of, scope), name, budget);
          case Expr.Item(Expr of, Expr.Slice slice) ->
              Slices.slice(
                  value(of, scope),
                  part(slice.start(), scope),
                  part(slice.stop(), scope),
                  part(slice.step(), scope),
                  budget);
          case Expr.Item(Expr of, Expr index) ->
              Access.item(value(of, scope), value(index, scope), budget);
          case Expr.Slice _ -> throw new Fault("a slice among other indices");
          case Expr.Call call -> call(call, scope, null);
          case Expr.Filter(Expr input, String name, var arguments) ->
              filter(name, value(input, scope), given(arguments, scope));
          case Expr.Test(Expr input, String name, var arguments) ->
              Value.Bool.of(test(name, value(input, scope), given(arguments, scope)));
        };
    budget.leave();
    return value;
  }

  Value filter(String name, Value input, Given given) {
    Builtin filter = Filters.ALL.get(name);
    if (filter == null) {
      throw new Fault("there is no filter '" + name + "'");
    }
    return filter.call("the filter " + name, input, given, this);
  }

  boolean test(String name, Value input, Given given) {
    Builtin test = Tests.ALL.get(name);
    if (test == null) {
      throw new Fault("there is no test '" + name + "'");
    }
    return Truth.of(test.call("the test " + name, input, given, this));
  }

  /** What a loop goes over: items, keys, characters; nothing of what is undefined. */
  List<Value> items(Value value) {
    List<Value> items =
        switch (value) {
          case Value.Undefined _ -> List.of();
          case Value.Items list -> List.copyOf(list.values());
          case Value.Dict dict -> dict.keys();
          case Value.Str(String text, boolean _) ->
              text.codePoints()
                  .mapToObj(c -> (Value) new Value.Str(Character.toString(c)))
                  .toList();
          case Value.Loop loop -> loop.items;
          default -> throw new Fault(Types.name(value) + " has no items");
        };
    budget.items(items.size());
    return items;
  }

  Value call(Expr.Call call, Scope scope, Value.@Nullable Function caller) {
    Value function = value(call.function(), scope);
    Given given = given(call.arguments(), scope);
    if (caller != null) {
      Map<String, Value> named = new LinkedHashMap<>(given.named());
      named.put("caller", caller);
      given = new Given(given.positional(), named);
    }
    return invoke(function, given);
  }

  Value invoke(Value function, Given given) {
    budget.enter();
    Value value =
        switch (function) {
          case Value.Function(String name, Builtin builtin, Value self) ->
              builtin.call(name, self, given, this);
          case Value.Loop loop when loop.recurse != null ->
              loop.recurse.call("loop", loop, given, this);
          default -> throw new Fault(Types.name(function) + " cannot be called");
        };
    budget.leave();
    return value;
  }

  private Given given(Expr.CallArguments arguments, Scope scope) {
    List<Value> positional = new ArrayList<>(values(arguments.positional(), scope));
    Map<String, Value> named = new LinkedHashMap<>();
    for (int i = 0; i < arguments.names().size(); i++) {
      named.put(arguments.names().get(i), value(arguments.named().get(i), scope));
    }
    if (arguments.rest() != null) {
      positional.addAll(items(value(arguments.rest(), scope)));
    }
    if (arguments.namedRest() != null) {
      if (!(value(arguments.namedRest(), scope) instanceof Value.Dict dict)) {
        throw new Fault("what stands behind ** should be a dictionary");
      }
      dict.entries().forEach(e -> named.put(Printer.text(e.key(), budget), e.value()));
    }
    return new Given(positional, named);
  }

  private List<Value> values(List<Expr> expressions, Scope scope) {
    budget.items(expressions.size());
    List<Value> values = new ArrayList<>(expressions.size());
    for (Expr expression : expressions) {
      values.add(value(expression, scope));
    }
    return values;
  }

  private Value part(@Nullable Expr part, Scope scope) {
    return part == null ? Value.None.NONE : value(part, scope);
  }

  private Value dictionary(Expr.Pairs pairs, Scope scope) {
    budget.items(pairs.keys().size());
    Value.Dict dict = new Value.Dict();
    for (int i = 0; i < pairs.keys().size(); i++) {
      Value key = value(pairs.keys().get(i), scope);
      dict.put(Equality.key(key, budget), key, value(pairs.values().get(i), scope));
    }
    return dict;
  }

  private static Value sign(boolean minus, Value operand) {
    if (!Numbers.number(operand)) {
      throw new Fault("a sign before " + Types.name(operand));
    }
    return minus ? Numbers.negated(operand) : operand;
  }

  private Value compare(Expr.Comparison comparison, Scope scope) {
    Value left = value(comparison.first(), scope);
    for (int i = 0; i < comparison.operators().size(); i++) {
      Value right = value(comparison.others().get(i), scope);
      if (!Operators.holds(comparison.operators().get(i), left, right, budget)) {
        return Value.Bool.FALSE;
      }
      left = right;
    }
    return Value.Bool.TRUE;
  }

  private Value joined(List<Expr> parts, Scope scope) {
    StringBuilder out = new StringBuilder();
    for (Expr part : parts) {
      budget.append(out, Printer.text(value(part, scope), budget));
    }
    budget.chars(out.length());
    return new Value.Str(out.toString());
  }

  private Value choose(Expr.Choice choice, Scope scope) {
    if (Truth.of(value(choice.test(), scope))) {
      return value(choice.then(), scope);
    }
    return choice.otherwise() == null
        ? new Value.Undefined("an 'if' without 'else'")
        : value(choice.otherwise(), scope);
  }
}
