package io.gatun.engine.grammar;

import java.util.ArrayList;
import java.util.List;

/** The right side of a rule. A value. */
sealed interface Expr {
  /** One character of a set; none at all when the set is empty. */
  record Chars(CharSet set) implements Expr {}

  /** One after another. */
  record Seq(List<Expr> parts) implements Expr {
    public Seq {
      parts = List.copyOf(parts);
    }
  }

  /** One of several. */
  record Alt(List<Expr> options) implements Expr {
    public Alt {
      options = List.copyOf(options);
    }
  }

  /**
   * The same several times.
   *
   * @param max {@link #UNBOUNDED} for any number
   */
  record Repeat(Expr body, int min, int max) implements Expr {
    static final int UNBOUNDED = Integer.MAX_VALUE;
  }

  /** Another rule. */
  record Ref(String rule) implements Expr {}

  /** One token as a whole, whatever its text: this one, or any other. */
  record TokenIs(int token, boolean negated) implements Expr {}

  /** One token as a whole, named by its text. */
  record TokenNamed(String text, boolean negated) implements Expr {}

  /** Nothing. */
  static Expr empty() {
    return new Seq(List.of());
  }

  static Expr text(String literal) {
    return seq(literal.codePoints().<Expr>mapToObj(c -> new Chars(CharSet.range(c, c))).toList());
  }

  static Expr seq(Expr... parts) {
    return seq(List.of(parts));
  }

  static Expr seq(List<Expr> parts) {
    return parts.size() == 1 ? parts.getFirst() : new Seq(parts);
  }

  static Expr alt(Expr... options) {
    return alt(List.of(options));
  }

  static Expr alt(List<Expr> options) {
    return options.size() == 1 ? options.getFirst() : new Alt(options);
  }

  static Expr optional(Expr body) {
    return new Repeat(body, 0, 1);
  }

  static Expr many(Expr body) {
    return new Repeat(body, 0, Repeat.UNBOUNDED);
  }

  static Expr chars(String characters) {
    return new Chars(CharSet.of(characters));
  }

  static Expr digits(char first, char last) {
    return new Chars(CharSet.range(first, last));
  }

  /** body (separator body)*, so many bodies. */
  static Expr separated(Expr body, Expr separator, int min, int max) {
    if (max == 0) {
      return empty();
    }
    int rest = max == Repeat.UNBOUNDED ? max : max - 1;
    Expr some = seq(body, new Repeat(seq(separator, body), Math.max(0, min - 1), rest));
    return min == 0 ? optional(some) : some;
  }

  /** All rules that this one names. */
  default List<String> refs() {
    List<String> names = new ArrayList<>();
    collect(this, names);
    return names;
  }

  private static void collect(Expr e, List<String> names) {
    switch (e) {
      case Ref(String rule) -> names.add(rule);
      case Seq(List<Expr> parts) -> parts.forEach(p -> collect(p, names));
      case Alt(List<Expr> options) -> options.forEach(o -> collect(o, names));
      case Repeat(Expr body, int _, int _) -> collect(body, names);
      case Chars _, TokenIs _, TokenNamed _ -> {}
    }
  }
}
