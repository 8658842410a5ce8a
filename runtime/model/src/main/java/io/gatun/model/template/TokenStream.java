package io.gatun.model.template;

import io.gatun.model.template.Token.Kind;
import java.util.List;
import java.util.Set;

/** Tokens from first to last, and how deep the parser stands. */
final class TokenStream {
  /** Deeper than any template that people write; each level costs a dozen stack frames. */
  private static final int DEPTH_MAX = 150;

  private static final Set<String> NO_ARGUMENT = Set.of("else", "or", "and", "is");

  private final List<Token> tokens;
  private int at;
  private int depth;

  TokenStream(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token current() {
    return tokens.get(at);
  }

  Token peek() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
  }

  /** The current token, and goes on; the last one stays. */
  Token next() {
    Token token = current();
    at = Math.min(at + 1, tokens.size() - 1);
    return token;
  }

  boolean isOperator(String text) {
    return current().operator(text);
  }

  boolean takeOperator(String text) {
    boolean is = isOperator(text);
    if (is) {
      next();
    }
    return is;
  }

  boolean takeName(String text) {
    boolean is = current().name(text);
    if (is) {
      next();
    }
    return is;
  }

  void expectOperator(String text) {
    if (!takeOperator(text)) {
      throw new Fault("expected '%s' but got %s".formatted(text, current().shown()));
    }
  }

  String expectName() {
    if (current().kind() != Kind.NAME) {
      throw new Fault("expected a name but got " + current().shown());
    }
    return next().text();
  }

  void expect(Kind kind) {
    if (current().kind() != kind) {
      throw new Fault(
          "expected %s but got %s".formatted(new Token(kind, "", 0).shown(), current().shown()));
    }
    next();
  }

  /** Whether a tuple without parentheses ends here, behind a comma. */
  boolean endsTuple() {
    return switch (current().kind()) {
      case OUTPUT_END, BLOCK_END, END -> true;
      default -> isOperator(")") || isOperator("=") || current().name("in");
    };
  }

  /** Whether a test such as {@code is divisibleby 3} has its argument here. */
  boolean beginsArgumentOfTest() {
    return switch (current().kind()) {
      case NAME -> !NO_ARGUMENT.contains(current().text());
      case STRING, INTEGER, FLOAT -> true;
      default -> isOperator("(") || isOperator("[") || isOperator("{");
    };
  }

  void enter() {
    if (++depth > DEPTH_MAX) {
      throw new Fault("more than %d levels deep".formatted(DEPTH_MAX));
    }
  }

  void leave() {
    depth--;
  }
}
