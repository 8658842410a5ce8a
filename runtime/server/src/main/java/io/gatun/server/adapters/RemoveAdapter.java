package io.gatun.server.adapters;

import io.gatun.LanguageModel;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.ApiException.Reason;
import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import io.gatun.server.http.Json;
import io.gatun.server.models.ModelKind;
import io.gatun.server.models.ModelUse;
import io.gatun.server.models.ServedModels;
import java.io.IOException;
import java.util.NoSuchElementException;

/**
 * {@code DELETE /v1/adapters/NAME}, of the first model unless {@code ?model=} names another:
 * requests can no longer ask for it. Its file stays.
 */
public final class RemoveAdapter implements Endpoint {
  private final ServedModels models;
  private final ErrorForm errors;

  public RemoveAdapter(ServedModels models, ErrorForm errors) {
    this.models = models;
    this.errors = errors;
  }

  @Override
  public String method() {
    return "DELETE";
  }

  @Override
  public String path() {
    return "/v1/adapters/*";
  }

  @Override
  public ErrorForm errors() {
    return errors;
  }

  @Override
  public void answer(Exchange exchange) throws IOException, InterruptedException {
    String name = exchange.name(this);
    try (ModelUse use = models.use(exchange.query("model"), ModelKind.TEXT)) {
      LanguageModel model = use.text();
      model.adapters().remove(model.adapters().get(name));
      use.adapters().remove(name);
      exchange.send(
          Json.object().put("id", name).put("object", "adapter").put("deleted", true).build());
    } catch (NoSuchElementException e) {
      throw ApiException.of(Reason.NOT_FOUND, "the model has no adapter of this name")
          .withCode("adapter_not_found");
    } catch (IllegalStateException e) {
      throw ApiException.of(Reason.CONFLICT, "the adapter is in use; come again");
    }
  }
}
