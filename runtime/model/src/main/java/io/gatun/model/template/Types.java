package io.gatun.model.template;

/** What Python calls the types of values, for messages. */
final class Types {
  private Types() {}

  static String name(Value value) {
    return switch (value) {
      case Value.Undefined(String what) -> what + ", which is undefined";
      case Value.None _ -> "none";
      case Value.Bool _ -> "a boolean";
      case Value.Int _ -> "an integer";
      case Value.Real _ -> "a float";
      case Value.Str _ -> "a string";
      case Value.Items items -> items.tuple() ? "a tuple" : "a list";
      case Value.Dict _ -> "a dictionary";
      case Value.Namespace _ -> "a namespace";
      case Value.Function(String name, Builtin _, Value _) -> "the function " + name;
      case Value.Loop _ -> "a loop";
    };
  }
}
