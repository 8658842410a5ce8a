package io.gatun.server.ollama;

import io.gatun.model.json.JsonValue;
import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import io.gatun.server.http.Json;
import io.gatun.server.models.ModelSource;
import io.gatun.server.models.ServedModels;
import java.time.Instant;

/** {@code GET /api/tags}: which models there are. */
public final class Tags implements Endpoint {
  private final ServedModels models;

  public Tags(ServedModels models) {
    this.models = models;
  }

  @Override
  public String method() {
    return "GET";
  }

  @Override
  public String path() {
    return "/api/tags";
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
    exchange.send(
        Json.object()
            .put("models", models.list().stream().map(m -> model(m.source())).toList())
            .build());
  }

  private static JsonValue model(ModelSource source) {
    return Json.object()
        .put("name", source.name())
        .put("model", source.name())
        .put("modified_at", Instant.ofEpochSecond(source.created()).toString())
        .put("size", source.bytes())
        .put("digest", "")
        .put("details", Json.object().put("format", "gguf"))
        .build();
  }
}
