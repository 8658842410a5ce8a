package io.gatun.engine.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Reads regular expressions in the notation that Java, JavaScript and Python share. What is not
 * regular (backreferences, looking around) or depends on where a match begins is refused.
 */
final class RegexParser {
  private static final int REPEATS_MAX = 2000;
  private static final int NESTING_MAX = 200;
  private static final CharSet DIGITS = CharSet.range('0', '9');
  private static final CharSet WORD =
      DIGITS.or(CharSet.range('a', 'z')).or(CharSet.range('A', 'Z')).or(CharSet.of("_"));
  private static final CharSet SPACE =
      CharSet.of(" \t\n\r\f\u000b\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff")
          .or(CharSet.range(0x2000, 0x200a));

  private final Source in;
  private final Function<CharSet, Expr> characters;
  private int depth;

  RegexParser(String pattern) {
    this(pattern, Expr.Chars::new);
  }

  /**
   * @param characters how one character of a set is written
   */
  RegexParser(String pattern, Function<CharSet, Expr> characters) {
    this.in = new Source(pattern, "pattern");
    this.characters = characters;
  }

  /** Text that is matched as a whole; ^ and $ at the ends change nothing. */
  Expr parseWhole() {
    boolean _ = in.take("^");
    Expr body = alternatives();
    requireEnd();
    return body;
  }

  /** Text in which a match occurs somewhere, unless ^ and $ bind it to the ends. */
  Expr parseWithin() {
    Expr anything = Expr.many(characters.apply(CharSet.ALL));
    boolean fromStart = in.take("^");
    Expr body = alternatives();
    boolean toEnd = endAnchor;
    requireEnd();
    return Expr.seq(fromStart ? Expr.empty() : anything, body, toEnd ? Expr.empty() : anything);
  }

  private boolean endAnchor;

  private void requireEnd() {
    if (!in.atEnd()) {
      throw in.error("unexpected " + Character.toString(in.peek()));
    }
  }

  private Expr alternatives() {
    if (++depth > NESTING_MAX) {
      throw in.error("groups are nested too deeply");
    }
    List<Expr> options = new ArrayList<>();
    options.add(sequence());
    while (in.take("|")) {
      if (depth == 1 && (endAnchor || in.peek() == '^')) {
        throw in.error("^ and $ inside of alternatives; put a group around them");
      }
      options.add(sequence());
    }
    depth--;
    return Expr.alt(options);
  }

  private Expr sequence() {
    List<Expr> parts = new ArrayList<>();
    while (!in.atEnd() && in.peek() != '|' && in.peek() != ')') {
      if (depth == 1 && in.peek() == '$' && (in.peek(1) == -1 || in.peek(1) == '|')) {
        in.next();
        endAnchor = true;
        break;
      }
      parts.add(repeated(atom()));
    }
    return Expr.seq(parts);
  }

  private Expr repeated(Expr atom) {
    Expr body = atom;
    int c = in.peek();
    if (c == '*' || c == '+' || c == '?') {
      in.next();
      body = new Expr.Repeat(atom, c == '+' ? 1 : 0, c == '?' ? 1 : Expr.Repeat.UNBOUNDED);
    } else if (c == '{' && Character.isDigit(in.peek(1))) {
      in.next();
      body = counted(atom);
    } else {
      return body;
    }
    boolean _ = in.take("?"); // how eager a match is does not change what matches
    int next = in.peek();
    if (next == '+' || next == '*' || (next == '{' && Character.isDigit(in.peek(1)))) {
      throw in.error("a repetition of a repetition");
    }
    return body;
  }

  private Expr counted(Expr atom) {
    int min = number();
    int max = min;
    if (in.take(",")) {
      max = in.peek() == '}' ? Expr.Repeat.UNBOUNDED : number();
    }
    if (!in.take("}")) {
      throw in.error("expected }");
    }
    if (min > REPEATS_MAX || (max != Expr.Repeat.UNBOUNDED && max > REPEATS_MAX)) {
      throw in.error("more than %d repetitions".formatted(REPEATS_MAX));
    }
    if (max < min) {
      throw in.error("at least %d but at most %d repetitions".formatted(min, max));
    }
    return new Expr.Repeat(atom, min, max);
  }

  private int number() {
    int value = 0;
    int digits = 0;
    while (Character.isDigit(in.peek()) && digits++ < 9) {
      value = 10 * value + Character.digit(in.next(), 10);
    }
    if (digits == 0) {
      throw in.error("expected a number");
    }
    return value;
  }

  private Expr atom() {
    int c = in.next();
    return switch (c) {
      case '(' -> group();
      case '[' -> characters.apply(set());
      case '.' -> characters.apply(CharSet.of("\n\r\u2028\u2029").not());
      case '\\' -> characters.apply(escape(false));
      case '^', '$' -> throw in.error("^ and $ are supported at the ends only");
      case '*', '+', '?' -> throw in.error("nothing to repeat");
      default -> characters.apply(CharSet.range(c, c));
    };
  }

  private Expr group() {
    if (in.take("?")) {
      boolean named = in.peek() == '<' && in.peek(1) != '=' && in.peek(1) != '!';
      if (named || in.take("P<")) {
        while (in.next() != '>') {
          // a group's name means nothing here
        }
      } else if (!in.take(":")) {
        throw in.error("looking ahead or behind, and flags, are not supported");
      }
    }
    Expr body = alternatives();
    if (!in.take(")")) {
      throw in.error("expected )");
    }
    return body;
  }

  private CharSet set() {
    boolean negated = in.take("^");
    CharSet set = CharSet.NONE;
    while (in.peek() != ']') {
      CharSet first = member();
      if (in.peek() == '-' && in.peek(1) != ']') {
        in.next();
        CharSet last = member();
        if (first.bounds().size() != 2 || last.bounds().size() != 2) {
          throw in.error("a range of classes");
        }
        int low = first.bounds().getFirst();
        int high = last.bounds().getFirst();
        if (high < low) {
          throw in.error("a range that goes backwards");
        }
        first = CharSet.range(low, high);
      }
      set = set.or(first);
    }
    in.next();
    return negated ? set.not() : set;
  }

  private CharSet member() {
    int c = in.next();
    if (c == '[' && (in.peek() == ':' || in.peek() == '.' || in.peek() == '=')) {
      throw in.error("POSIX classes are not supported");
    }
    if (c == '&' && in.peek() == '&') {
      throw in.error("intersections of classes are not supported");
    }
    return c == '\\' ? escape(true) : CharSet.range(c, c);
  }

  private CharSet escape(boolean inSet) {
    int c = in.next();
    return switch (c) {
      case 'd' -> DIGITS;
      case 'D' -> DIGITS.not();
      case 'w' -> WORD;
      case 'W' -> WORD.not();
      case 's' -> SPACE;
      case 'S' -> SPACE.not();
      case 't' -> CharSet.of("\t");
      case 'n' -> CharSet.of("\n");
      case 'r' -> CharSet.of("\r");
      case 'f' -> CharSet.of("\f");
      case 'v' -> CharSet.of("\u000b");
      case '0' -> CharSet.of("\0");
      case 'x' -> single(in.hex(2));
      case 'u' -> single(unicode());
      case 'b' -> {
        if (!inSet) {
          throw in.error("\\b is not supported");
        }
        yield CharSet.of("\b");
      }
      default -> {
        if (Character.isLetterOrDigit(c)) {
          throw in.error("\\%s is not supported".formatted(Character.toString(c)));
        }
        yield single(c);
      }
    };
  }

  private int unicode() {
    if (in.take("{")) {
      int value = 0;
      while (!in.take("}")) {
        value = 16 * value + Math.max(0, Character.digit(in.next(), 16));
        if (value > Character.MAX_CODE_POINT) {
          throw in.error("no code point");
        }
      }
      return value;
    }
    int high = in.hex(4);
    if (Character.isHighSurrogate((char) high) && in.take("\\u")) {
      return Character.toCodePoint((char) high, (char) in.hex(4));
    }
    return high;
  }

  private static CharSet single(int c) {
    return CharSet.range(c, c);
  }
}
