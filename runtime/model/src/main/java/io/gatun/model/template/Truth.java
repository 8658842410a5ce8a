package io.gatun.model.template;

/** Which values count as true: Python's rules. */
final class Truth {
  private Truth() {}

  static boolean of(Value value) {
    return switch (value) {
      case Value.Undefined _, Value.None _ -> false;
      case Value.Bool(boolean bool) -> bool;
      case Value.Int(var number) -> number.signum() != 0;
      case Value.Real(double number) -> number != 0;
      case Value.Str(String text, boolean _) -> !text.isEmpty();
      case Value.Items items -> !items.values().isEmpty();
      case Value.Dict dict -> !dict.entries().isEmpty();
      case Value.Namespace _, Value.Function _, Value.Loop _ -> true;
    };
  }
}
