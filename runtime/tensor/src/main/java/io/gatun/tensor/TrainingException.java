package io.gatun.tensor;

import io.gatun.bindings.GatunException;
import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** A graph cannot be differentiated as asked: the message names the tensor and its op. */
public final class TrainingException extends GatunException {
  @Serial private static final long serialVersionUID = 1L;

  public TrainingException(String message) {
    super(message);
  }

  public TrainingException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
