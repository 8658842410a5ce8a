package io.gatun.model;

import io.gatun.bindings.GatunException;
import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** A broken model file: the message names the file, the byte offset, and the key or tensor. */
public final class ModelFormatException extends GatunException {
  @Serial private static final long serialVersionUID = 1L;

  public ModelFormatException(String message) {
    super(message);
  }

  public ModelFormatException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
