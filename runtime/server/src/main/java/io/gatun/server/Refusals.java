package io.gatun.server;

import io.gatun.model.json.JsonWriter;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.ApiException.Reason;
import io.gatun.server.openai.OpenAi;
import io.helidon.http.DirectHandler;
import io.helidon.http.DirectHandler.EventType;
import io.helidon.http.HeaderNames;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.http.DirectHandlers;
import java.nio.charset.StandardCharsets;

/** What clients are told that never got as far as an address: broken HTTP, bodies too long. */
final class Refusals {
  private Refusals() {}

  static DirectHandlers all() {
    DirectHandlers.Builder handlers = DirectHandlers.builder();
    for (EventType type : EventType.values()) {
      handlers.addHandler(type, Refusals::refuse);
    }
    return handlers.build();
  }

  private static DirectHandler.TransportResponse refuse(
      DirectHandler.TransportRequest request,
      EventType type,
      Status status,
      ServerResponseHeaders headers,
      String message) {
    ApiException failure =
        switch (status.code()) {
          case 413 -> ApiException.of(Reason.TOO_LARGE, "the body is too long");
          case 400 -> ApiException.of(Reason.INVALID, "this is no proper HTTP: " + message);
          case 503 -> ApiException.of(Reason.BUSY, "too many requests");
          default -> ApiException.of(Reason.FAILED, "the server failed to answer");
        };
    byte[] body = JsonWriter.write(OpenAi.ERRORS.body(failure)).getBytes(StandardCharsets.UTF_8);
    return DirectHandler.TransportResponse.builder()
        .status(status)
        .headers(headers)
        .header(HeaderNames.CONTENT_TYPE, "application/json")
        .entity(body)
        .build();
  }
}
