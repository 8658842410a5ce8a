package io.gatun.server.openai;

import io.gatun.server.http.ApiException;
import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import io.gatun.server.models.ServedModels;

/** {@code GET /v1/models/NAME}: one model. */
public final class GetModel implements Endpoint {
  private final ServedModels models;

  public GetModel(ServedModels models) {
    this.models = models;
  }

  @Override
  public String method() {
    return "GET";
  }

  @Override
  public String path() {
    return "/v1/models/*";
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
    String name = exchange.name(this);
    exchange.send(
        models.list().stream()
            .filter(shown -> shown.source().name().equals(name))
            .findFirst()
            .map(ListModels::model)
            .orElseThrow(() ->
                ApiException.of(ApiException.Reason.NOT_FOUND, "there is no model of this name")
                    .withCode("model_not_found")));
  }
}
