package io.gatun.server.openai;

import io.gatun.server.generate.ChatRun;
import io.gatun.server.generate.Texts;
import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import io.gatun.server.http.Fields;
import io.gatun.server.http.ReplyStream;
import io.gatun.server.models.ModelUse;
import java.io.IOException;

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
      texts.chat(
          exchange,
          use,
          request.plan(),
          run -> {
            if (request.stream()) {
              stream(exchange, run, new Answer(use, request));
            } else {
              whole(exchange, run, new Answer(use, request));
            }
          });
    }
  }

  /** Whose answer to what. */
  private record Answer(ModelUse use, ChatRequest request) {}

  private static void whole(Exchange exchange, ChatRun run, Answer to) throws InterruptedException {
    ChatAnswer answer = new ChatAnswer(to.use(), to.request());
    run.read(answer);
    exchange.send(answer.whole(run.totals()));
  }

  private static void stream(Exchange exchange, ChatRun run, Answer to)
      throws InterruptedException {
    try (ReplyStream out = exchange.events()) {
      ChatStream answer = new ChatStream(out, to.use(), to.request());
      run.read(answer);
      answer.finish(run.totals());
    }
  }
}
