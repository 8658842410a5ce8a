package io.gatun.engine;

import io.gatun.bindings.GatunException;
import java.io.Serial;

/** As many requests wait as may; try again when some have ended. */
public final class QueueFullException extends GatunException {
  @Serial private static final long serialVersionUID = 1L;

  QueueFullException(String message) {
    super(message);
  }
}
