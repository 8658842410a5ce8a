package io.gatun.model.template;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The arguments of one call, bound to parameters. */
record Arguments(Map<String, Value> named, List<Value> rest) {
  /** Arguments as they were passed. */
  record Given(List<Value> positional, Map<String, Value> named) {
    static Given of(Value... positional) {
      return new Given(List.of(positional), Map.of());
    }

    Arguments bind(String function, List<String> parameters) {
      boolean anyNamed = parameters.contains("**");
      boolean anyPositional = anyNamed || parameters.contains("*");
      int fixed = parameters.size() - (anyPositional ? 1 : 0);
      if (positional.size() > fixed && !anyPositional) {
        throw new Fault(
            "%s takes at most %d arguments but gets %d"
                .formatted(function, fixed, positional.size()));
      }
      Map<String, Value> bound = new LinkedHashMap<>(named);
      for (String name : named.keySet()) {
        if (!anyNamed && !parameters.subList(0, fixed).contains(name)) {
          throw new Fault("%s has no parameter '%s'".formatted(function, name));
        }
      }
      int count = Math.min(fixed, positional.size());
      for (int i = 0; i < count; i++) {
        if (bound.put(parameters.get(i), positional.get(i)) != null) {
          throw new Fault("%s gets '%s' twice".formatted(function, parameters.get(i)));
        }
      }
      return new Arguments(bound, positional.subList(count, positional.size()));
    }
  }

  /** The argument, where one was passed and it is not {@code none}. */
  Optional<Value> given(String name) {
    return Optional.ofNullable(named.get(name)).filter(v -> v != Value.None.NONE);
  }

  Value value(String name, Value otherwise) {
    return named.getOrDefault(name, otherwise);
  }

  Value need(String name) {
    Value value = named.get(name);
    if (value == null) {
      throw new Fault("the argument '" + name + "' is missing");
    }
    return value;
  }

  boolean flag(String name, boolean otherwise) {
    Value value = named.get(name);
    return value == null ? otherwise : Truth.of(value);
  }

  String text(String name, String otherwise) {
    return given(name).map(v -> text(name, v)).orElse(otherwise);
  }

  String text(String name) {
    return text(name, need(name));
  }

  int integer(String name, int otherwise) {
    return given(name).map(v -> Numbers.index(v, name)).orElse(otherwise);
  }

  Map<String, Value> others(List<String> fixed) {
    Map<String, Value> others = new HashMap<>(named);
    fixed.forEach(others::remove);
    return others;
  }

  private static String text(String name, Value value) {
    if (value instanceof Value.Str(String text, boolean _)) {
      return text;
    }
    throw new Fault(
        "the argument '%s' should be a string but is %s".formatted(name, Types.name(value)));
  }
}
