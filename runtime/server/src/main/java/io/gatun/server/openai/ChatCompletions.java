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
import java.util.List;

/** {@code POST /v1/chat/completions}: the assistant's answer to messages. */
public final class ChatCompletions implements Endpoint {
  private final Texts texts;

  public ChatCompletions(Texts texts) {
    this.texts = texts;
  }

  @Override
  public String method() {
    return "POST";
  }

  @Override
  public String path() {
    return "/v1/chat/completions";
  }

  @Override
  public ErrorForm errors() {
    return OpenAi.ERRORS;
  }

  @Override
  public void answer(Exchange exchange) throws IOException, InterruptedException {
    Fields body = exchange.body();
    try (ModelUse use = texts.use(body)) {
      ChatRequest request = ChatRequest.read(body, use.text());
      int[] prompt = texts.prompts().of(request.conversation(), use.text());
      ChatAnswer answer = new ChatAnswer(use, request);
      texts.generate(
          exchange,
          use,
          List.of(new TextPlan(prompt, request.options(), request.choices())),
          choices -> {
            if (request.stream()) {
              stream(exchange, choices, answer, request);
            } else {
              whole(exchange, choices, answer);
            }
          });
    }
  }

  private static void whole(Exchange exchange, Choices choices, ChatAnswer answer)
      throws InterruptedException {
    choices.read(answer);
    exchange.send(answer.whole(choices.totals()));
  }

  private static void stream(
      Exchange exchange, Choices choices, ChatAnswer answer, ChatRequest request)
      throws InterruptedException {
    try (ReplyStream out = exchange.events()) {
      for (int i = 0; i < request.choices(); i++) {
        out.event(answer.begin(i));
      }
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
