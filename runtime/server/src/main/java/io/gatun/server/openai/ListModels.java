package io.gatun.server.openai;

import io.gatun.model.json.JsonValue;
import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import io.gatun.server.http.Json;
import io.gatun.server.models.ServedModels;
import java.util.Locale;

/** {@code GET /v1/models}: which models there are. */
public final class ListModels implements Endpoint {
  private final ServedModels models;

  public ListModels(ServedModels models) {
    this.models = models;
  }

  @Override
  public String method() {
    return "GET";
  }

  @Override
  public String path() {
    return "/v1/models";
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
    exchange.send(
        Json.object()
            .put("object", "list")
            .put("data", models.list().stream().map(ListModels::model).toList())
            .build());
  }

  /** A model as this interface shows it. */
  static JsonValue model(ServedModels.Shown shown) {
    return Json.object()
        .put("id", shown.source().name())
        .put("object", "model")
        .put("created", shown.source().created())
        .put("owned_by", "gatun")
        .put("kind", shown.source().kind().name().toLowerCase(Locale.ROOT))
        .put("loaded", shown.loaded())
        .build();
  }
}
