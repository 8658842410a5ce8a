package io.gatun.tensor;

import io.gatun.bindings.GatunException;
import java.io.Serial;
import org.jspecify.annotations.Nullable;

/**
 * A limit of memory, cells or queue is reached: what was needed, what there is, which option raises
 * it.
 */
public final class CapacityException extends GatunException {
  @Serial private static final long serialVersionUID = 1L;

  public CapacityException(String message) {
    super(message);
  }

  public CapacityException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
