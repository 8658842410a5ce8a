package io.gatun.server.adapters;

import io.gatun.model.json.JsonValue;
import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import io.gatun.server.http.Json;
import io.gatun.server.models.ServedModels;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code GET /v1/adapters}: which adapters requests can ask for, and which could be loaded. */
public final class ListAdapters implements Endpoint {
  private final ServedModels models;
  private final Optional<AdapterFolder> folder;
  private final ErrorForm errors;

  public ListAdapters(ServedModels models, Optional<AdapterFolder> folder, ErrorForm errors) {
    this.models = models;
    this.folder = folder;
    this.errors = errors;
  }

  @Override
  public String method() {
    return "GET";
  }

  @Override
  public String path() {
    return "/v1/adapters";
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
  public void answer(Exchange exchange) throws IOException {
    List<JsonValue> all = new ArrayList<>();
    for (ServedModels.Shown model : models.list()) {
      for (String name : model.source().adapters().names()) {
        all.add(shown(name, model.source().name()));
      }
    }
    List<String> files = folder.isPresent() ? folder.get().names() : List.of();
    exchange.send(
        Json.object()
            .put("object", "list")
            .put("data", all)
            .put("files", files.stream().map(JsonValue::of).toList())
            .build());
  }

  static JsonValue shown(String name, String model) {
    return Json.object().put("id", name).put("object", "adapter").put("model", model).build();
  }
}
