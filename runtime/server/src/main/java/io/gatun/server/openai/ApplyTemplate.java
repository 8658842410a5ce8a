package io.gatun.server.openai;

import io.gatun.server.generate.Texts;
import io.gatun.server.generate.ToolUse;
import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import io.gatun.server.http.Fields;
import io.gatun.server.http.Json;
import io.gatun.server.models.ModelUse;
import java.io.IOException;

/**
 * {@code POST /apply-template}: the prompt that messages become, in the form of llama.cpp's server.
 */
public final class ApplyTemplate implements Endpoint {
  private final Texts texts;

  public ApplyTemplate(Texts texts) {
    this.texts = texts;
  }

  @Override
  public String method() {
    return "POST";
  }

  @Override
  public String path() {
    return "/apply-template";
  }

  @Override
  public ErrorForm errors() {
    return OpenAi.ERRORS;
  }

  @Override
  public void answer(Exchange exchange) throws IOException, InterruptedException {
    Fields body = exchange.body();
    try (ModelUse use = texts.use(body)) {
      ToolUse tools = ToolFields.read(body);
      var conversation = ChatRequest.conversation(body, tools);
      body.end();
      exchange.send(
          Json.object().put("prompt", texts.prompts().text(conversation, use.text())).build());
    }
  }
}
