package io.gatun.model.template;

import java.util.Optional;

/**
 * {@code a.b} and {@code a[b]}. As in Jinja, the one looks for a method first and then for an item,
 * the other the other way round; what is not there is undefined.
 */
final class Access {
  private Access() {}

  static Value attribute(Value of, String name, Budget budget) {
    refuseUndefined(of, name);
    return method(of, name)
        .or(() -> found(of, new Value.Str(name), budget))
        .orElseGet(() -> new Value.Undefined("'" + name + "' of " + Types.name(of)));
  }

  static Value item(Value of, Value index, Budget budget) {
    refuseUndefined(of, "an item");
    return found(of, index, budget)
        .or(() ->
            index instanceof Value.Str(String name, boolean _)
                ? method(of, name)
                : Optional.empty())
        .orElseGet(() -> new Value.Undefined("an item of " + Types.name(of)));
  }

  private static void refuseUndefined(Value of, String name) {
    if (of instanceof Value.Undefined(String what)) {
      throw new Fault("%s is undefined, so '%s' of it cannot be taken".formatted(what, name));
    }
  }

  private static Optional<Value> method(Value of, String name) {
    return switch (of) {
      case Value.Namespace(var attributes) -> Optional.ofNullable(attributes.get(name));
      case Value.Loop loop -> LoopAttributes.get(loop, name);
      case Value.Function function when name.equals("name") ->
          Optional.of(new Value.Str(function.name()));
      default ->
          Optional.ofNullable(Methods.of(of).get(name))
              .map(builtin -> new Value.Function(name, builtin, of));
    };
  }

  private static Optional<Value> found(Value of, Value index, Budget budget) {
    return switch (of) {
      case Value.Dict _ when index instanceof Value.Items items && !items.tuple() ->
          Optional.empty();
      case Value.Dict _ when index instanceof Value.Dict -> Optional.empty();
      case Value.Dict dict -> dict.get(Equality.key(index, budget));
      case Value.Items items ->
          Numbers.integer(index)
              .flatMap(i ->
                  at(i.bitLength() > 31 ? -1 : place(i.intValue(), items.values().size()), items));
      case Value.Str(String text, boolean _) ->
          Numbers.integer(index)
              .flatMap(i -> {
                int length = text.codePointCount(0, text.length());
                int place = i.bitLength() > 31 ? -1 : place(i.intValue(), length);
                budget.steps(text.length() / 64);
                return place < 0 || place >= length
                    ? Optional.empty()
                    : Optional.of(
                        new Value.Str(
                            Character.toString(
                                text.codePointAt(text.offsetByCodePoints(0, place)))));
              });
      default -> Optional.empty();
    };
  }

  private static int place(int index, int length) {
    return index < 0 ? index + length : index;
  }

  private static Optional<Value> at(int place, Value.Items items) {
    return place < 0 || place >= items.values().size()
        ? Optional.empty()
        : Optional.of(items.values().get(place));
  }
}
