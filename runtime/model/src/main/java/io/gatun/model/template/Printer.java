package io.gatun.model.template;

/** Values as text: Python's {@code str} and {@code repr}. */
final class Printer {
  private Printer() {}

  /** What {@code {{ value }}} writes. */
  static String text(Value value, Budget budget) {
    return switch (value) {
      case Value.Str(String text, boolean _) -> text;
      case Value.Undefined _ -> "";
      default -> {
        StringBuilder out = new StringBuilder();
        quoted(value, out, budget);
        yield out.toString();
      }
    };
  }

  static String quoted(Value value, Budget budget) {
    StringBuilder out = new StringBuilder();
    quoted(value, out, budget);
    return out.toString();
  }

  private static void quoted(Value value, StringBuilder out, Budget budget) {
    budget.enter();
    budget.step();
    switch (value) {
      case Value.Undefined _ -> out.append("Undefined");
      case Value.None _ -> out.append("None");
      case Value.Bool(boolean bool) -> out.append(bool ? "True" : "False");
      case Value.Int(var number) -> write(out, number.toString(), budget);
      case Value.Real(double number) -> out.append(Numbers.text(number));
      case Value.Str(String text, boolean safe) -> {
        String quoted = quoted(text);
        write(out, safe ? "Markup(" + quoted + ")" : quoted, budget);
      }
      case Value.Items items -> items(items, out, budget);
      case Value.Dict dict -> dict(dict, out, budget);
      case Value.Namespace namespace -> {
        out.append("<Namespace ");
        Value.Dict dict = new Value.Dict();
        namespace.attributes().forEach(dict::put);
        dict(dict, out, budget);
        out.append('>');
      }
      case Value.Function(String name, Builtin _, Value _) ->
          out.append("<function ").append(name).append('>');
      case Value.Loop loop ->
          out.append("<LoopContext %d/%d>".formatted(loop.index + 1, loop.items.size()));
    }
    budget.leave();
  }

  private static void items(Value.Items items, StringBuilder out, Budget budget) {
    out.append(items.tuple() ? '(' : '[');
    String separator = "";
    for (Value item : items.values()) {
      out.append(separator);
      quoted(item, out, budget);
      separator = ", ";
    }
    if (items.tuple()) {
      out.append(items.values().size() == 1 ? ",)" : ")");
    } else {
      out.append(']');
    }
  }

  private static void dict(Value.Dict dict, StringBuilder out, Budget budget) {
    out.append('{');
    String separator = "";
    for (Value.Dict.Entry entry : dict.entries()) {
      out.append(separator);
      quoted(entry.key(), out, budget);
      out.append(": ");
      quoted(entry.value(), out, budget);
      separator = ", ";
    }
    out.append('}');
  }

  private static void write(StringBuilder out, String text, Budget budget) {
    budget.chars(text.length());
    budget.append(out, text);
  }

  private static String quoted(String text) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    StringBuilder out = new StringBuilder().append(quote);
    text.codePoints().forEach(c -> character(c, quote, out));
    return out.append(quote).toString();
  }

  private static void character(int c, char quote, StringBuilder out) {
    switch (c) {
      case '\\' -> out.append("\\\\");
      case '\n' -> out.append("\\n");
      case '\r' -> out.append("\\r");
      case '\t' -> out.append("\\t");
      default -> {
        if (c == quote) {
          out.append('\\').append(quote);
        } else if (printable(c)) {
          out.appendCodePoint(c);
        } else {
          out.append((c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x").formatted(c));
        }
      }
    }
  }

  private static boolean printable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }
}
