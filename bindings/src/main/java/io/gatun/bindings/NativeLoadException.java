package io.gatun.bindings;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/**
 * The native libraries cannot be found, loaded, or are not the ones the bindings were made for. The
 * message lists every place tried and the option that names another one.
 */
public final class NativeLoadException extends GatunException {
  @Serial private static final long serialVersionUID = 1L;

  public NativeLoadException(String message) {
    super(message);
  }

  public NativeLoadException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
