package io.gatun.server.openai;

import io.gatun.server.generate.ChatRun;
import io.gatun.server.generate.Texts;
import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import io.gatun.server.http.Fields;
import io.gatun.server.http.Json;
import io.gatun.server.http.ReplyStream;
import io.gatun.server.models.ModelUse;
import java.io.IOException;

/** {@code POST /v1/responses}: the assistant's answer, in the form of OpenAI's newer interface. */
public final class Responses implements Endpoint {
  private final Texts texts;

  public Responses(Texts texts) {
    this.texts = texts;
  }

  @Override
  public String method() {
    return "POST";
  }

  @Override
  public String path() {
    return "/v1/responses";
  }

  @Override
  public ErrorForm errors() {
    return OpenAi.ERRORS;
  }

  @Override
  public void answer(Exchange exchange) throws IOException, InterruptedException {
    Fields body = exchange.body();
    try (ModelUse use = texts.use(body)) {
      ResponseRequest request = ResponseRequest.read(body, use.text());
      ResponseShape shape = new ResponseShape(use.name(), request);
      boolean several = request.plan().tools().several();
      texts.chat(
          exchange,
          use,
          request.plan(),
          run -> {
            if (request.stream()) {
              stream(exchange, run, shape, several);
            } else {
              ResponseItems items = new ResponseItems((_, _) -> {}, several);
              run.read(items);
              exchange.send(shape.ended(items.all(), items.reason(), run.totals()));
            }
          });
    }
  }

  private static void stream(Exchange exchange, ChatRun run, ResponseShape shape, boolean several)
      throws InterruptedException {
    try (ReplyStream out = exchange.events()) {
      Numbered events = new Numbered(out);
      events.event("response.created", Json.object().put("response", shape.begun()));
      events.event("response.in_progress", Json.object().put("response", shape.begun()));
      ResponseItems items = new ResponseItems(events, several);
      run.read(items);
      var response = shape.ended(items.all(), items.reason(), run.totals());
      boolean whole = OpenAi.finishReason(items.reason()).equals("stop");
      events.event(
          whole ? "response.completed" : "response.incomplete",
          Json.object().put("response", response));
    }
  }

  /** Events with their types and numbers. */
  private static final class Numbered implements ResponseItems.Events {
    private final ReplyStream out;
    private int number;

    Numbered(ReplyStream out) {
      this.out = out;
    }

    @Override
    public void event(String type, Json event) {
      Json numbered = Json.object().put("type", type).put("sequence_number", number++);
      out.event(type, numbered.putAll(event.build()).build());
    }
  }
}
