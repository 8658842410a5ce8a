package io.gatun.tensor;

import io.gatun.bindings.GatunException;
import java.io.Serial;
import org.jspecify.annotations.Nullable;

/**
 * GGML reported a failure or stopped on an assertion: the message carries its status and last log
 * lines.
 */
public final class NativeException extends GatunException {
  @Serial private static final long serialVersionUID = 1L;

  public NativeException(String message) {
    super(message);
  }

  public NativeException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
