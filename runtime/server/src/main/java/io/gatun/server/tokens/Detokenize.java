package io.gatun.server.tokens;

import io.gatun.model.Vocabulary;
import io.gatun.server.generate.Texts;
import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import io.gatun.server.http.Fields;
import io.gatun.server.http.Json;
import io.gatun.server.models.ModelUse;
import java.io.IOException;

/** {@code POST /detokenize}: the text of tokens. */
public final class Detokenize implements Endpoint {
  private static final int TOKENS_MAX = 1 << 20;

  private final Texts texts;
  private final ErrorForm errors;

  public Detokenize(Texts texts, ErrorForm errors) {
    this.texts = texts;
    this.errors = errors;
  }

  @Override
  public String method() {
    return "POST";
  }

  @Override
  public String path() {
    return "/detokenize";
  }

  @Override
  public ErrorForm errors() {
    return errors;
  }

  @Override
  public void answer(Exchange exchange) throws IOException, InterruptedException {
    Fields body = exchange.body();
    try (ModelUse use = texts.use(body)) {
      Vocabulary vocabulary = use.text().model().vocabulary();
      int last = vocabulary.size() - 1;
      int[] tokens =
          body.items("tokens", TOKENS_MAX).stream()
              .mapToInt(id -> (int) Fields.integer(id, "tokens", 0, last))
              .toArray();
      body.end();
      exchange.send(Json.object().put("content", vocabulary.decode(tokens)).build());
    }
  }
}
