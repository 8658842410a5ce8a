package io.gatun.model.template;

/** A piece of a template's source. */
record Token(Kind kind, String text, int line) {
  enum Kind {
    /** Text outside of tags. */
    TEXT,
    OUTPUT_BEGIN,
    OUTPUT_END,
    BLOCK_BEGIN,
    BLOCK_END,
    NAME,
    /** A string, its escapes resolved. */
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(Kind other, String value) {
    return kind == other && text.equals(value);
  }

  boolean operator(String value) {
    return is(Kind.OPERATOR, value);
  }

  boolean name(String value) {
    return is(Kind.NAME, value);
  }

  /** How messages speak of it. */
  String shown() {
    return switch (kind) {
      case TEXT -> "text";
      case OUTPUT_BEGIN -> "'{{'";
      case OUTPUT_END -> "'}}'";
      case BLOCK_BEGIN -> "'{%'";
      case BLOCK_END -> "'%}'";
      case END -> "the end";
      default -> "'" + text + "'";
    };
  }
}
