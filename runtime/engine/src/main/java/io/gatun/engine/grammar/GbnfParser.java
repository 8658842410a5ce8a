package io.gatun.engine.grammar;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads llama.cpp's notation of grammars.
 *
 * @source llama.cpp v0.4.0, grammars/README.md
 */
final class GbnfParser {
  /** What llama.cpp refuses too: such a number is a slip, or hostile. */
  private static final int REPEATS_MAX = 2000;

  private static final int NESTING_MAX = 200;

  private final Source in;
  private int depth;

  GbnfParser(String text) {
    this.in = new Source(text, "grammar");
  }

  Map<String, Expr> parse() {
    Map<String, Expr> rules = new LinkedHashMap<>();
    space(true);
    while (!in.atEnd()) {
      String name = name();
      space(false);
      if (!in.take("::=")) {
        throw in.error("expected ::= after " + name);
      }
      space(true);
      Expr body = alternatives(false);
      if (rules.put(name, body) != null) {
        throw in.error("rule " + name + " is defined twice");
      }
      if (!in.atEnd() && !in.take("\r\n") && !in.take("\n")) {
        throw in.error("expected a newline or the end");
      }
      space(true);
    }
    return rules;
  }

  /** Alternatives; inside of parentheses newlines are spaces. */
  private Expr alternatives(boolean nested) {
    if (++depth > NESTING_MAX) {
      throw in.error("parentheses are nested too deeply");
    }
    List<Expr> options = new ArrayList<>();
    options.add(sequence(nested));
    while (in.take("|")) {
      space(true);
      options.add(sequence(nested));
    }
    depth--;
    return Expr.alt(options);
  }

  private Expr sequence(boolean nested) {
    List<Expr> parts = new ArrayList<>();
    while (!in.atEnd()) {
      int c = in.peek();
      if (c == '"') {
        parts.add(Expr.text(literal()));
      } else if (c == '[') {
        parts.add(new Expr.Chars(set()));
      } else if (c == '<' || c == '!') {
        parts.add(token());
      } else if (c == '.') {
        in.next();
        parts.add(new Expr.Chars(CharSet.ALL));
      } else if (c == '(') {
        in.next();
        space(true);
        parts.add(alternatives(true));
        if (!in.take(")")) {
          throw in.error("expected )");
        }
      } else if (wordCharacter(c)) {
        parts.add(new Expr.Ref(name()));
      } else if (!parts.isEmpty() && (c == '*' || c == '+' || c == '?' || c == '{')) {
        parts.add(repeat(parts.removeLast()));
      } else {
        break;
      }
      space(nested);
    }
    return Expr.seq(parts);
  }

  private Expr repeat(Expr body) {
    Expr repeated =
        switch (in.next()) {
          case '*' -> Expr.many(body);
          case '+' -> new Expr.Repeat(body, 1, Expr.Repeat.UNBOUNDED);
          case '?' -> Expr.optional(body);
          default -> counted(body);
        };
    return repeated;
  }

  private Expr counted(Expr body) {
    space(true);
    int min = number();
    space(true);
    int max = min;
    if (in.take(",")) {
      space(true);
      max = in.peek() == '}' ? Expr.Repeat.UNBOUNDED : number();
      space(true);
    }
    if (!in.take("}")) {
      throw in.error("expected }");
    }
    if (min > REPEATS_MAX) {
      throw in.error("more than %d repetitions".formatted(REPEATS_MAX));
    }
    if (max < min) {
      throw in.error("at least %d but at most %d repetitions".formatted(min, max));
    }
    return new Expr.Repeat(body, min, max);
  }

  private int number() {
    StringBuilder digits = new StringBuilder();
    while (!in.atEnd() && in.peek() >= '0' && in.peek() <= '9' && digits.length() < 9) {
      digits.appendCodePoint(in.next());
    }
    if (digits.isEmpty()) {
      throw in.error("expected a number");
    }
    return Integer.parseInt(digits.toString());
  }

  private Expr token() {
    boolean negated = in.take("!");
    if (!in.take("<")) {
      throw in.error("expected < after !");
    }
    if (in.take("[")) {
      int token = number();
      if (!in.take("]>")) {
        throw in.error("expected ]>");
      }
      return new Expr.TokenIs(token, negated);
    }
    StringBuilder text = new StringBuilder("<");
    while (!in.atEnd() && in.peek() != '>' && in.peek() != '\n') {
      text.appendCodePoint(in.next());
    }
    if (!in.take(">")) {
      throw in.error("expected > at the end of a token");
    }
    return new Expr.TokenNamed(text.append('>').toString(), negated);
  }

  private String literal() {
    in.next();
    StringBuilder text = new StringBuilder();
    while (!in.atEnd() && in.peek() != '"') {
      text.appendCodePoint(character());
    }
    if (!in.take("\"")) {
      throw in.error("expected \" at the end of a literal");
    }
    return text.toString();
  }

  private CharSet set() {
    in.next();
    boolean negated = in.take("^");
    CharSet set = CharSet.NONE;
    while (!in.atEnd() && in.peek() != ']') {
      int first = character();
      int last = first;
      if (in.peek() == '-' && in.peek(1) != ']') {
        in.next();
        last = character();
        if (last < first) {
          throw in.error("a range that goes backwards");
        }
      }
      set = set.or(CharSet.range(first, last));
    }
    if (!in.take("]")) {
      throw in.error("expected ]");
    }
    return negated ? set.not() : set;
  }

  private int character() {
    if (in.atEnd()) {
      throw in.error("unexpected end");
    }
    int c = in.next();
    if (c != '\\') {
      return c;
    }
    if (in.atEnd()) {
      throw in.error("unexpected end after a backslash");
    }
    int escape = in.next();
    return switch (escape) {
      case 'x' -> in.hex(2);
      case 'u' -> in.hex(4);
      case 'U' -> in.hex(8);
      case 't' -> '\t';
      case 'r' -> '\r';
      case 'n' -> '\n';
      case '\\', '"', '[', ']', '-', '^' -> escape;
      default -> throw in.error("unknown escape \\" + Character.toString(escape));
    };
  }

  private String name() {
    StringBuilder name = new StringBuilder();
    while (!in.atEnd() && wordCharacter(in.peek())) {
      name.appendCodePoint(in.next());
    }
    if (name.isEmpty()) {
      throw in.error("expected a rule's name");
    }
    return name.toString();
  }

  private static boolean wordCharacter(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || (c >= '0' && c <= '9');
  }

  private void space(boolean newlines) {
    while (!in.atEnd()) {
      int c = in.peek();
      if (c == '#') {
        while (!in.atEnd() && in.peek() != '\n' && in.peek() != '\r') {
          in.next();
        }
      } else if (c == ' ' || c == '\t' || (newlines && (c == '\n' || c == '\r'))) {
        in.next();
      } else {
        return;
      }
    }
  }
}
