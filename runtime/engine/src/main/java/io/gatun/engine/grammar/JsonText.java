package io.gatun.engine.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** How JSON is written: the rules that all schemas share. */
final class JsonText {
  /** A little space, as models write it; never without end. */
  static final Expr SPACE = new Expr.Ref("space");

  static final Expr STRING = new Expr.Ref("string");
  static final Expr VALUE = new Expr.Ref("value");

  private static final Expr HEX =
      new Expr.Chars(
          CharSet.range('0', '9').or(CharSet.range('a', 'f')).or(CharSet.range('A', 'F')));

  /** What stands in strings as it is. */
  private static final CharSet PLAIN = CharSet.range(0, 0x1f).or(CharSet.of("\"\\\u007f")).not();

  private static final Expr ESCAPE =
      Expr.seq(
          Expr.text("\\"),
          Expr.alt(
              Expr.chars("\"\\/bfnrt"),
              Expr.seq(
                  Expr.text("u"),
                  // Halves of surrogate pairs are no characters.
                  Expr.alt(
                      Expr.seq(
                          new Expr.Chars(CharSet.of("0123456789abcefABCEF")),
                          new Expr.Repeat(HEX, 3, 3)),
                      Expr.seq(
                          Expr.chars("dD"), Expr.digits('0', '7'), new Expr.Repeat(HEX, 2, 2))))));

  /** One character of a string. */
  static final Expr CHARACTER = Expr.alt(new Expr.Chars(PLAIN), ESCAPE);

  private static final Expr WHOLE =
      Expr.alt(
          Expr.text("0"),
          Expr.seq(Expr.digits('1', '9'), new Expr.Repeat(Expr.digits('0', '9'), 0, 15)));

  static final Expr INTEGER = Expr.seq(Expr.optional(Expr.text("-")), WHOLE);

  static final Expr NUMBER =
      Expr.seq(
          INTEGER,
          Expr.optional(Expr.seq(Expr.text("."), new Expr.Repeat(Expr.digits('0', '9'), 1, 16))),
          Expr.optional(Expr.seq(Expr.chars("eE"), Expr.optional(Expr.chars("+-")), WHOLE)));

  static final Expr BOOLEAN = Expr.alt(Expr.text("true"), Expr.text("false"));

  private JsonText() {}

  /** The rules that others name. */
  static Map<String, Expr> rules() {
    Expr pair = Expr.seq(STRING, Expr.text(":"), SPACE, VALUE);
    return Map.of(
        "space",
        Expr.alt(
            Expr.empty(),
            Expr.text(" "),
            Expr.seq(
                new Expr.Repeat(Expr.text("\n"), 1, 2), new Expr.Repeat(Expr.chars(" \t"), 0, 20))),
        "string",
        quoted(Expr.many(CHARACTER)),
        "value",
        Expr.alt(
            new Expr.Ref("object"),
            new Expr.Ref("array"),
            STRING,
            NUMBER,
            BOOLEAN,
            Expr.text("null")),
        "object",
        braces(Expr.separated(pair, comma(), 0, Expr.Repeat.UNBOUNDED)),
        "array",
        brackets(Expr.separated(VALUE, comma(), 0, Expr.Repeat.UNBOUNDED)));
  }

  static Expr quoted(Expr body) {
    return Expr.seq(Expr.text("\""), body, Expr.text("\""));
  }

  static Expr braces(Expr body) {
    return Expr.seq(Expr.text("{"), SPACE, body, SPACE, Expr.text("}"));
  }

  static Expr brackets(Expr body) {
    return Expr.seq(Expr.text("["), SPACE, body, SPACE, Expr.text("]"));
  }

  static Expr comma() {
    return Expr.seq(Expr.text(","), SPACE);
  }

  /** One character of a set, as it stands in a string. */
  static Expr character(CharSet set) {
    List<Expr> options = new ArrayList<>();
    options.add(new Expr.Chars(set.and(PLAIN)));
    for (int c = 0; c <= 0x7f; c++) {
      if (!PLAIN.contains(c) && set.contains(c)) {
        options.add(Expr.text(escaped(c)));
      }
    }
    return Expr.alt(options);
  }

  private static String escaped(int c) {
    return switch (c) {
      case '"' -> "\\\"";
      case '\\' -> "\\\\";
      case '\b' -> "\\b";
      case '\f' -> "\\f";
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      default -> "\\u%04x".formatted(c);
    };
  }

  /**
   * Strings other than some, which are then not written with escapes either: an escape is allowed
   * only where the string differs already.
   */
  static Expr stringExcept(Set<String> names) {
    Tree root = new Tree();
    names.forEach(root::add);
    return quoted(root.others());
  }

  /** Names by their characters. */
  private static final class Tree {
    private final Map<Integer, Tree> next = new TreeMap<>();
    private boolean ends;

    void add(String name) {
      Tree at = this;
      for (int c : name.codePoints().toArray()) {
        at = at.next.computeIfAbsent(c, _ -> new Tree());
      }
      at.ends = true;
    }

    /** What may stand behind a common beginning. */
    Expr others() {
      List<Expr> options = new ArrayList<>();
      CharSet known = CharSet.NONE;
      for (Map.Entry<Integer, Tree> child : next.entrySet()) {
        CharSet one = CharSet.range(child.getKey(), child.getKey());
        known = known.or(one);
        options.add(Expr.seq(new Expr.Chars(one.and(PLAIN)), child.getValue().others()));
      }
      Expr different = new Expr.Chars(PLAIN.minus(known));
      options.add(Expr.seq(different, Expr.many(CHARACTER)));
      Expr some = Expr.alt(options);
      return ends ? some : Expr.optional(some);
    }
  }
}
