package io.gatun.engine.grammar;

/** A grammar, pattern or schema that cannot be used; the message says where and why. */
public final class GrammarException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  public GrammarException(String message) {
    super(message);
  }
}
