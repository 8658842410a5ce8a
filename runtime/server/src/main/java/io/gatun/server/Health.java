package io.gatun.server;

import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import io.gatun.server.http.Json;
import io.gatun.server.openai.OpenAi;

/** {@code GET /health}: whether the server answers. */
final class Health implements Endpoint {
  @Override
  public String method() {
    return "GET";
  }

  @Override
  public String path() {
    return "/health";
  }

  @Override
  public boolean open() {
    return true;
  }

  @Override
  public boolean computes() {
    return false;
  }

  @Override
  public ErrorForm errors() {
    return OpenAi.ERRORS;
  }

  @Override
  public void answer(Exchange exchange) {
    exchange.send(Json.object().put("status", "ok").build());
  }
}
