package io.gatun.model.template;

/** {@code '{} and {name:>5}'.format(...)}. */
final class BraceFormat {
  private BraceFormat() {}

  static String format(String pattern, Arguments arguments, Evaluator evaluator) {
    Budget budget = evaluator.budget();
    StringBuilder out = new StringBuilder();
    int automatic = 0;
    for (int i = 0; i < pattern.length(); i++) {
      char c = pattern.charAt(i);
      boolean twice = i + 1 < pattern.length() && pattern.charAt(i + 1) == c;
      if ((c == '{' || c == '}') && twice) {
        budget.append(out, Character.toString(c));
        i++;
      } else if (c == '}') {
        throw new Fault("a single '}' in a format");
      } else if (c != '{') {
        out.append(c);
      } else {
        int end = pattern.indexOf('}', i);
        if (end < 0) {
          throw new Fault("a '{' without '}' in a format");
        }
        String field = pattern.substring(i + 1, end);
        boolean unnamed = field.isEmpty() || field.charAt(0) == ':' || field.charAt(0) == '!';
        budget.append(out, field(unnamed ? automatic++ + field : field, arguments, evaluator));
        i = end;
      }
    }
    budget.chars(out.length());
    return out.toString();
  }

  private static String field(String field, Arguments arguments, Evaluator evaluator) {
    int colon = field.indexOf(':');
    String name = colon < 0 ? field : field.substring(0, colon);
    String spec = colon < 0 ? "" : field.substring(colon + 1);
    boolean quoted = name.endsWith("!r");
    if (quoted || name.endsWith("!s")) {
      name = name.substring(0, name.length() - 2);
    }
    Value value = path(name, arguments, evaluator);
    if (quoted) {
      value = new Value.Str(Printer.quoted(value, evaluator.budget()));
    }
    return FormatSpec.format(value, spec, evaluator.budget());
  }

  /** {@code name.attribute[item]}, or a number in place of the name. */
  private static Value path(String path, Arguments arguments, Evaluator evaluator) {
    String[] parts = path.split("(?=[.\\[])", -1);
    Value value = start(parts[0], arguments);
    for (int i = 1; i < parts.length; i++) {
      if (parts[i].startsWith(".")) {
        value = Access.attribute(value, parts[i].substring(1), evaluator.budget());
      } else if (parts[i].endsWith("]")) {
        String key = parts[i].substring(1, parts[i].length() - 1);
        value =
            Access.item(
                value,
                number(key) ? Value.Int.of(Long.parseLong(key)) : new Value.Str(key),
                evaluator.budget());
      } else {
        throw new Fault("a '[' without ']' in a format");
      }
    }
    return value;
  }

  private static Value start(String name, Arguments arguments) {
    if (number(name)) {
      int index = Integer.parseInt(name);
      if (index >= arguments.rest().size()) {
        throw new Fault(
            "a format asks for value %d of %d".formatted(index, arguments.rest().size()));
      }
      return arguments.rest().get(index);
    }
    return arguments.need(name);
  }

  private static boolean number(String text) {
    return !text.isEmpty() && text.length() < 9 && text.chars().allMatch(c -> c >= '0' && c <= '9');
  }
}
