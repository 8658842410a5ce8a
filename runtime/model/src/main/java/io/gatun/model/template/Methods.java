package io.gatun.model.template;

import java.util.Map;

/** The methods of values, by type. */
final class Methods {
  private Methods() {}

  static Map<String, Builtin> of(Value value) {
    return switch (value) {
      case Value.Str _ -> TextMethods.ALL;
      case Value.Items items -> items.tuple() ? ListMethods.OF_TUPLES : ListMethods.ALL;
      case Value.Dict _ -> DictMethods.ALL;
      default -> Map.of();
    };
  }
}
