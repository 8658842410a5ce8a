package io.gatun.server.openai;

import io.gatun.TextPiece;
import io.gatun.engine.FinishReason;
import io.gatun.server.generate.Choices;
import io.gatun.server.generate.TextPlan;
import io.gatun.server.generate.Texts;
import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import io.gatun.server.http.Fields;
import io.gatun.server.http.ReplyStream;
import io.gatun.server.models.ModelUse;
import java.io.IOException;

/** {@code POST /v1/completions}: what follows a text. */
public final class Completions implements Endpoint {
  private final Texts texts;

  public Completions(Texts texts) {
    this.texts = texts;
  }

  @Override
  public String method() {
    return "POST";
  }

  @Override
  public String path() {
    return "/v1/completions";
  }

  @Override
  public ErrorForm errors() {
    return OpenAi.ERRORS;
  }

  @Override
  public void answer(Exchange exchange) throws IOException, InterruptedException {
    Fields body = exchange.body();
    try (ModelUse use = texts.use(body)) {
      CompletionRequest request = CompletionRequest.read(body, use.text(), texts.prompts());
      CompletionAnswer answer = new CompletionAnswer(use, request);
      texts.generate(
          exchange,
          use,
          request.prompts().stream()
              .map(p -> new TextPlan(p.tokens(), request.options(), request.choices()))
              .toList(),
          choices -> {
            if (request.stream()) {
              stream(exchange, choices, answer, request);
            } else {
              choices.read(answer);
              exchange.send(answer.whole(choices.totals()));
            }
          });
    }
  }

  private static void stream(
      Exchange exchange, Choices choices, CompletionAnswer answer, CompletionRequest request)
      throws InterruptedException {
    try (ReplyStream out = exchange.events()) {
      answer.echo().forEach(out::event);
      choices.read(
          new Choices.Reader() {
            @Override
            public void piece(int choice, TextPiece piece) {
              out.event(answer.chunk(choice, piece));
            }

            @Override
            public void end(int choice, FinishReason reason) {
              out.event(answer.chunkOfEnd(choice, reason));
            }
          });
      if (request.usage()) {
        out.event(answer.usage(choices.totals()));
      }
      out.done();
    }
  }
}
