package io.gatun.server.http;

import io.gatun.model.json.JsonValue;

/** How an interface tells what went wrong. */
@FunctionalInterface
public interface ErrorForm {
  /** The body of the answer. */
  JsonValue body(ApiException failure);
}
