package io.gatun.server.ollama;

import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import io.gatun.server.http.Json;

/** {@code GET /api/version}: asked by clients that want to know whether somebody is there. */
public final class Version implements Endpoint {
  /** Of Ollama's interface, as far as it is here. */
  private static final String INTERFACE = "0.6.0";

  /** For the server. */
  public Version() {}

  @Override
  public String method() {
    return "GET";
  }

  @Override
  public String path() {
    return "/api/version";
  }

  @Override
  public boolean computes() {
    return false;
  }

  @Override
  public ErrorForm errors() {
    return Ollama.ERRORS;
  }

  @Override
  public void answer(Exchange exchange) {
    exchange.send(Json.object().put("version", INTERFACE).build());
  }
}
