package io.gatun.model.template;

import java.util.Optional;

/** What templates ask of {@code loop}. */
final class LoopAttributes {
  private LoopAttributes() {}

  private static final Builtin CYCLE =
      Builtin.of(
          (self, arguments, _) -> {
            if (arguments.rest().isEmpty() || !(self instanceof Value.Loop loop)) {
              throw new Fault("loop.cycle without values");
            }
            return arguments.rest().get(loop.index % arguments.rest().size());
          },
          "*");

  private static final Builtin CHANGED =
      Builtin.of(
          (self, arguments, evaluator) -> {
            Value now = new Value.Items(arguments.rest(), true);
            if (!(self instanceof Value.Loop loop)) {
              throw new Fault("loop.changed outside of a loop");
            }
            Value before = loop.changed;
            loop.changed = now;
            return Value.Bool.of(
                before == null || !Equality.equal(before, now, evaluator.budget()));
          },
          "*");

  static Optional<Value> get(Value.Loop loop, String name) {
    int size = loop.items.size();
    return switch (name) {
      case "index" -> number(loop.index + 1);
      case "index0" -> number(loop.index);
      case "revindex" -> number(size - loop.index);
      case "revindex0" -> number(size - loop.index - 1);
      case "length" -> number(size);
      case "depth" -> number(loop.depth + 1);
      case "depth0" -> number(loop.depth);
      case "first" -> Optional.of(Value.Bool.of(loop.index == 0));
      case "last" -> Optional.of(Value.Bool.of(loop.index == size - 1));
      case "previtem" -> neighbour(loop, loop.index - 1);
      case "nextitem" -> neighbour(loop, loop.index + 1);
      case "cycle" -> Optional.of(new Value.Function("cycle", CYCLE, loop));
      case "changed" -> Optional.of(new Value.Function("changed", CHANGED, loop));
      default -> Optional.empty();
    };
  }

  private static Optional<Value> number(int number) {
    return Optional.of(Value.Int.of(number));
  }

  private static Optional<Value> neighbour(Value.Loop loop, int place) {
    return place < 0 || place >= loop.items.size()
        ? Optional.empty()
        : Optional.of(loop.items.get(place));
  }
}
