package io.gatun.server.http;

import java.io.Serial;

/** Nobody reads the answer any more: the client closed the connection, or was too slow. */
public final class ClientGoneException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  ClientGoneException(Throwable cause) {
    super("the client has gone", cause, false, false);
  }
}
