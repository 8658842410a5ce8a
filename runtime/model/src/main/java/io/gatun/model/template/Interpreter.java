package io.gatun.model.template;

import io.gatun.model.template.Statement.Target;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Runs the statements of one rendering. */
final class Interpreter {
  /** How a body ended. */
  private enum End {
    NORMAL,
    BREAK,
    CONTINUE
  }

  private final Budget budget;
  private final Evaluator evaluator;
  private int line = 1;

  Interpreter(Budget budget, Clock clock) {
    this.budget = budget;
    this.evaluator = new Evaluator(budget, clock);
  }

  /** Where it stands, for messages. */
  int line() {
    return line;
  }

  /** The text that a body writes. */
  String render(List<Statement> body, Scope scope) {
    StringBuilder out = new StringBuilder();
    run(body, scope, out);
    budget.chars(out.length());
    return out.toString();
  }

  private End run(List<Statement> body, Scope scope, StringBuilder out) {
    budget.enter();
    for (Statement statement : body) {
      End end = run(statement, scope, out);
      if (end != End.NORMAL) {
        budget.leave();
        return end;
      }
    }
    budget.leave();
    return End.NORMAL;
  }

  private End run(Statement statement, Scope scope, StringBuilder out) {
    budget.step();
    line = statement.line();
    switch (statement) {
      case Statement.Text(int _, String text) -> budget.append(out, text);
      case Statement.Output(int _, Expr value) ->
          budget.append(out, Printer.text(evaluator.value(value, scope), budget));
      case Statement.If choice -> {
        return run(
            Truth.of(evaluator.value(choice.test(), scope)) ? choice.then() : choice.otherwise(),
            scope,
            out);
      }
      case Statement.For loop ->
          loop(loop, evaluator.items(evaluator.value(loop.items(), scope)), scope, out, 0);
      case Statement.Break _ -> {
        return End.BREAK;
      }
      case Statement.Continue _ -> {
        return End.CONTINUE;
      }
      case Statement.Set(int _, Target target, Expr value) ->
          assign(target, evaluator.value(value, scope), scope);
      case Statement.SetBlock block ->
          assign(block.target(), filtered(block.filters(), block.body(), scope), scope);
      case Statement.FilterBlock block ->
          budget.append(out, Printer.text(filtered(block.filters(), block.body(), scope), budget));
      case Statement.Macro macro -> scope.set(macro.name(), macro(macro, scope));
      case Statement.CallBlock call -> call(call, scope, out);
      case Statement.With with -> {
        Scope inner = scope.inner();
        for (int i = 0; i < with.targets().size(); i++) {
          assign(with.targets().get(i), evaluator.value(with.values().get(i), scope), inner);
        }
        return run(with.body(), inner, out);
      }
      case Statement.Generation(int _, List<Statement> body) -> run(body, scope.inner(), out);
    }
    return End.NORMAL;
  }

  private Value filtered(Expr filters, List<Statement> body, Scope scope) {
    Scope inner = scope.inner();
    Scope around = scope.inner();
    around.set(Statement.CAPTURED, new Value.Str(render(body, inner)));
    return evaluator.value(filters, around);
  }

  private void loop(
      Statement.For loop, List<Value> items, Scope scope, StringBuilder out, int depth) {
    List<Value> kept = loop.filter() == null ? items : kept(loop, loop.filter(), items, scope);
    if (kept.isEmpty()) {
      run(loop.otherwise(), scope.inner(), out);
      return;
    }
    Value.Loop state = new Value.Loop(kept, depth, recursion(loop, scope, depth));
    for (Value item : kept) {
      budget.step();
      Scope inner = scope.inner();
      inner.set("loop", state);
      assign(loop.target(), item, inner);
      if (run(loop.body(), inner, out) == End.BREAK) {
        return;
      }
      state.index++;
    }
  }

  private List<Value> kept(Statement.For loop, Expr filter, List<Value> items, Scope scope) {
    List<Value> kept = new ArrayList<>();
    for (Value item : items) {
      Scope inner = scope.inner();
      assign(loop.target(), item, inner);
      if (Truth.of(evaluator.value(filter, inner))) {
        kept.add(item);
      }
    }
    return kept;
  }

  private @Nullable Builtin recursion(Statement.For loop, Scope scope, int depth) {
    if (!loop.recursive()) {
      return null;
    }
    return Builtin.of(
        (_, arguments, _) -> {
          budget.enter();
          StringBuilder out = new StringBuilder();
          loop(loop, evaluator.items(arguments.need("items")), scope, out, depth + 1);
          budget.chars(out.length());
          budget.leave();
          return new Value.Str(out.toString());
        },
        "items");
  }

  private void assign(Target target, Value value, Scope scope) {
    switch (target) {
      case Target.Name(String name) -> scope.set(name, value);
      case Target.Names(List<Target> targets) -> {
        List<Value> parts = evaluator.items(value);
        if (parts.size() != targets.size()) {
          throw new Fault("%d values for %d variables".formatted(parts.size(), targets.size()));
        }
        for (int i = 0; i < parts.size(); i++) {
          assign(targets.get(i), parts.get(i), scope);
        }
      }
      case Target.Attribute(String namespace, String attribute) -> {
        if (!(scope.get(namespace) instanceof Value.Namespace(var attributes))) {
          throw new Fault(
              "'%s' is no namespace; only those have attributes to set".formatted(namespace));
        }
        attributes.put(attribute, value);
      }
    }
  }

  private Value.Function macro(Statement.Macro macro, Scope scope) {
    return new Value.Function(
        macro.name(), body(macro.parameters(), macro.body(), scope, List.of("caller")));
  }

  private Builtin body(
      Statement.Parameters parameters, List<Statement> body, Scope scope, List<String> hidden) {
    List<String> names = new ArrayList<>(parameters.names());
    names.add("**");
    return new Builtin(
        names,
        (_, arguments, _) -> {
          int callLine = line;
          Scope inner = scope.inner();
          bind(parameters, arguments, inner, hidden);
          String text = render(body, inner);
          line = callLine;
          return new Value.Str(text);
        });
  }

  /** Binds in order, so that a default may use the parameters before it. */
  private void bind(
      Statement.Parameters parameters, Arguments arguments, Scope inner, List<String> hidden) {
    int first = parameters.names().size() - parameters.defaults().size();
    for (int i = 0; i < parameters.names().size(); i++) {
      String name = parameters.names().get(i);
      Value value = arguments.named().get(name);
      if (value == null) {
        value =
            i < first
                ? new Value.Undefined("the parameter '" + name + "'")
                : evaluator.value(parameters.defaults().get(i - first), inner);
      }
      inner.set(name, value);
    }
    for (String name : hidden) {
      inner.set(name, arguments.value(name, new Value.Undefined("'" + name + "'")));
    }
    inner.set("varargs", new Value.Items(arguments.rest(), true));
    Value.Dict others = new Value.Dict();
    arguments
        .others(parameters.names())
        .forEach((name, value) -> {
          if (!hidden.contains(name)) {
            others.put(name, value);
          }
        });
    inner.set("kwargs", others);
  }

  private void call(Statement.CallBlock block, Scope scope, StringBuilder out) {
    Builtin caller = body(block.parameters(), block.body(), scope, List.of());
    Value value = evaluator.call(block.call(), scope, new Value.Function("caller", caller));
    budget.append(out, Printer.text(value, budget));
  }
}
