package io.gatun.model;

import io.gatun.bindings.GatunException;
import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** A valid file that Gatun cannot run: the message says what is missing and what is supported. */
public final class UnsupportedModelException extends GatunException {
  @Serial private static final long serialVersionUID = 1L;

  public UnsupportedModelException(String message) {
    super(message);
  }

  public UnsupportedModelException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
