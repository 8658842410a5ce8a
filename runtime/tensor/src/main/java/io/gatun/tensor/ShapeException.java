package io.gatun.tensor;

import io.gatun.bindings.GatunException;
import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** Operands do not fit an op: the message names the op, the operands, their shapes and the rule. */
public final class ShapeException extends GatunException {
  @Serial private static final long serialVersionUID = 1L;

  public ShapeException(String message) {
    super(message);
  }

  public ShapeException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
