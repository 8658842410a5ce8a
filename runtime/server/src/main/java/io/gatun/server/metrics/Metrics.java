package io.gatun.server.metrics;

import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import java.nio.charset.StandardCharsets;

/** {@code GET /metrics}: what was counted and measured, for Prometheus. */
public final class Metrics implements Endpoint {
  private final ServerMetrics metrics;
  private final ErrorForm errors;

  public Metrics(ServerMetrics metrics, ErrorForm errors) {
    this.metrics = metrics;
    this.errors = errors;
  }

  @Override
  public String method() {
    return "GET";
  }

  @Override
  public String path() {
    return "/metrics";
  }

  @Override
  public boolean computes() {
    return false;
  }

  @Override
  public ErrorForm errors() {
    return errors;
  }

  @Override
  public void answer(Exchange exchange) {
    exchange.send(
        200,
        "text/plain; version=0.0.4; charset=utf-8",
        metrics.scrape().getBytes(StandardCharsets.UTF_8));
  }
}
