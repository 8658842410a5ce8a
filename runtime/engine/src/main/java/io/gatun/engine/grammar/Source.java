package io.gatun.engine.grammar;

/** A text that is read character by character, and knows where it is. */
final class Source {
  private final int[] text;
  private final String kind;
  private int at;

  /**
   * @param kind what errors call the text
   */
  Source(String text, String kind) {
    this.text = text.codePoints().toArray();
    this.kind = kind;
  }

  boolean atEnd() {
    return at == text.length;
  }

  /** The next character; −1 at the end. */
  int peek() {
    return peek(0);
  }

  int peek(int ahead) {
    return at + ahead < text.length ? text[at + ahead] : -1;
  }

  int next() {
    if (atEnd()) {
      throw error("unexpected end");
    }
    return text[at++];
  }

  /** Reads exactly this, or nothing. */
  boolean take(String expected) {
    int[] wanted = expected.codePoints().toArray();
    for (int i = 0; i < wanted.length; i++) {
      if (peek(i) != wanted[i]) {
        return false;
      }
    }
    at += wanted.length;
    return true;
  }

  /** A code point of so many hexadecimal digits. */
  int hex(int digits) {
    long value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = Character.digit(atEnd() ? -1 : next(), 16);
      if (digit < 0) {
        throw error("expected %d hexadecimal digits".formatted(digits));
      }
      value = 16 * value + digit;
    }
    if (value > Character.MAX_CODE_POINT) {
      throw error("no code point");
    }
    return (int) value;
  }

  GrammarException error(String what) {
    int line = 1;
    int column = 1;
    for (int i = 0; i < at; i++) {
      column = text[i] == '\n' ? 1 : column + 1;
      line += text[i] == '\n' ? 1 : 0;
    }
    return new GrammarException("%s, line %d, column %d: %s".formatted(kind, line, column, what));
  }
}
