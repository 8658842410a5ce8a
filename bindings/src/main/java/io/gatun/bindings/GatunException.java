package io.gatun.bindings;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/**
 * The root of every failure that Gatun reports on purpose.
 *
 * <p>A message says what is wrong, what was expected, where, and what to do. A caller's mistake is
 * an {@link IllegalArgumentException}, a wrong moment (closed, used twice) an {@link
 * IllegalStateException}; everything else that can go wrong is a subclass of this one.
 */
public abstract class GatunException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  protected GatunException(String message) {
    super(message);
  }

  protected GatunException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
