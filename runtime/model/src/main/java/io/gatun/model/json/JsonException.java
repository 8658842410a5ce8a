package io.gatun.model.json;

import io.gatun.bindings.GatunException;
import java.io.Serial;

/** A text that is not JSON, or more of it than is allowed: the message says what and where. */
public final class JsonException extends GatunException {
  @Serial private static final long serialVersionUID = 1L;

  private final int offset;

  JsonException(int offset, String message) {
    super("JSON, character %d: %s".formatted(offset, message));
    this.offset = offset;
  }

  /** Where in the text, in {@code char}s from its start. */
  public int offset() {
    return offset;
  }
}
