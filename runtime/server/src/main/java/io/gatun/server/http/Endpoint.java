package io.gatun.server.http;

import java.io.IOException;

/** One address of the server, and what it answers. Thread-safe. */
public interface Endpoint {
  /** {@code GET}, {@code POST} or {@code DELETE}. */
  String method();

  /** An address such as {@code /v1/models}; one that ends with {@code /*} has a name behind. */
  String path();

  /** Whether everyone may ask, key or not. */
  default boolean open() {
    return false;
  }

  /** Whether it computes, so that only so many may be answered at once. */
  default boolean computes() {
    return true;
  }

  /** How this interface tells failures. */
  ErrorForm errors();

  /**
   * Answers a request.
   *
   * @throws ApiException when the request is refused
   */
  void answer(Exchange exchange) throws IOException, InterruptedException;
}
