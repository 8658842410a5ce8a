package io.gatun.hub;

import io.gatun.bindings.GatunException;
import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** A model that could not be found, fetched, checked or kept: the message says which and why. */
public final class HubException extends GatunException {
  @Serial private static final long serialVersionUID = 1L;

  public HubException(String message) {
    super(message);
  }

  public HubException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
