package io.gatun.server.adapters;

import io.gatun.model.ModelFormatException;
import io.gatun.model.UnsupportedModelException;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.ApiException.Reason;
import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import io.gatun.server.http.Fields;
import io.gatun.server.models.ModelKind;
import io.gatun.server.models.ModelUse;
import io.gatun.server.models.ServedModels;
import io.gatun.tensor.ShapeException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.Optional;

/** {@code POST /v1/adapters}: loads an adapter from the configured folder. */
public final class AddAdapter implements Endpoint {
  private static final System.Logger LOG = System.getLogger("io.gatun.server");

  private final ServedModels models;
  private final Optional<AdapterFolder> folder;
  private final ErrorForm errors;

  public AddAdapter(ServedModels models, Optional<AdapterFolder> folder, ErrorForm errors) {
    this.models = models;
    this.folder = folder;
    this.errors = errors;
  }

  @Override
  public String method() {
    return "POST";
  }

  @Override
  public String path() {
    return "/v1/adapters";
  }

  @Override
  public ErrorForm errors() {
    return errors;
  }

  @Override
  public void answer(Exchange exchange) throws IOException, InterruptedException {
    Fields body = exchange.body();
    String name = body.requiredText("name");
    String fileName = body.text("file").orElse(name);
    if (!AdapterFolder.isName(name)) {
      throw ApiException.field("name", "must be letters, digits, dots, underscores or dashes");
    }
    AdapterFolder from =
        folder.orElseThrow(
            () -> ApiException.of(Reason.FORBIDDEN, "this server loads no further adapters"));
    Path file = from.file(fileName);
    try (ModelUse use = models.use(body.text("model"), ModelKind.TEXT)) {
      body.end();
      load(use, file, name);
      exchange.send(ListAdapters.shown(name, use.name()));
    }
  }

  private static void load(ModelUse use, Path file, String name) {
    if (use.adapters().names().contains(name)) {
      throw ApiException.of(Reason.CONFLICT, "there is an adapter of this name already");
    }
    try {
      var _ = use.text().adapters().load(file, name);
      use.adapters().put(name, file);
    } catch (IllegalArgumentException e) { // somebody else was faster
      throw ApiException.of(Reason.CONFLICT, "there is an adapter of this name already");
    } catch (ModelFormatException | UnsupportedModelException | ShapeException e) {
      LOG.log(Level.WARNING, "adapter " + name + " cannot be loaded", e);
      throw ApiException.field("file", "is no adapter of this model; the server's log says more");
    }
  }
}
