package io.gatun.server.tokens;

import io.gatun.model.Vocabulary;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.Texts;
import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import io.gatun.server.http.Fields;
import io.gatun.server.http.Json;
import io.gatun.server.models.ModelUse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** {@code POST /tokenize}: the tokens of a text. */
public final class Tokenize implements Endpoint {
  private final Texts texts;
  private final ErrorForm errors;

  public Tokenize(Texts texts, ErrorForm errors) {
    this.texts = texts;
    this.errors = errors;
  }

  @Override
  public String method() {
    return "POST";
  }

  @Override
  public String path() {
    return "/tokenize";
  }

  @Override
  public ErrorForm errors() {
    return errors;
  }

  @Override
  public void answer(Exchange exchange) throws IOException, InterruptedException {
    Fields body = exchange.body();
    try (ModelUse use = texts.use(body)) {
      String content = body.requiredText("content");
      boolean addSpecial = body.flag("add_special");
      boolean parseSpecial = body.bool("parse_special").orElse(true);
      boolean pieces = body.flag("with_pieces");
      body.end();
      Vocabulary vocabulary = use.text().model().vocabulary();
      List<JsonValue> tokens = new ArrayList<>();
      for (int token : vocabulary.encode(content, addSpecial, parseSpecial)) {
        tokens.add(
            pieces
                ? Json.object().put("id", token).put("piece", vocabulary.show(token)).build()
                : JsonValue.of(token));
      }
      exchange.send(Json.object().put("tokens", tokens).build());
    }
  }
}
