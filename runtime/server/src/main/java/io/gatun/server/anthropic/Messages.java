package io.gatun.server.anthropic;

import io.gatun.engine.FinishReason;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyCall;
import io.gatun.model.json.JsonValue;
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
import java.util.ArrayList;
import java.util.List;

/** {@code POST /v1/messages}: the assistant's answer, in Anthropic's form. */
public final class Messages implements Endpoint {
  private final Texts texts;

  public Messages(Texts texts) {
    this.texts = texts;
  }

  @Override
  public String method() {
    return "POST";
  }

  @Override
  public String path() {
    return "/v1/messages";
  }

  @Override
  public ErrorForm errors() {
    return Anthropic.ERRORS;
  }

  @Override
  public void answer(Exchange exchange) throws IOException, InterruptedException {
    Fields body = exchange.body();
    try (ModelUse use = texts.use(body)) {
      MessagesRequest request = MessagesRequest.read(body, use.text());
      texts.chat(
          exchange,
          use,
          request.plan(),
          run -> {
            if (request.stream()) {
              try (ReplyStream out = exchange.events()) {
                MessageStream stream = new MessageStream(out, use.name(), request, run);
                run.read(stream);
                stream.finish();
              }
            } else {
              exchange.send(whole(use.name(), request, run));
            }
          });
    }
  }

  /** A whole answer. */
  private record Ended(FinishReason reason, Reply reply) {}

  private static JsonValue whole(String model, MessagesRequest request, ChatRun run)
      throws InterruptedException {
    List<Ended> ended = new ArrayList<>();
    run.read((_, reason, reply) -> ended.add(new Ended(reason, reply)));
    Ended only = ended.getFirst();
    return Json.object()
        .put("id", Anthropic.id("msg_"))
        .put("type", "message")
        .put("role", "assistant")
        .put("model", model)
        .put("content", blocks(only.reply(), request.plan().tools().several()))
        .put("stop_reason", Anthropic.stopReason(only.reason(), only.reply()))
        .put("stop_sequence", run.stopText(0))
        .put("usage", Anthropic.usage(run.totals()))
        .build();
  }

  private static List<JsonValue> blocks(Reply reply, boolean several) {
    List<JsonValue> blocks = new ArrayList<>();
    if (!reply.reasoning().isEmpty()) {
      blocks.add(
          Json.object()
              .put("type", "thinking")
              .put("thinking", reply.reasoning())
              .put("signature", "")
              .build());
    }
    String text = reply.message().content();
    if (!text.isEmpty()) {
      blocks.add(Json.object().put("type", "text").put("text", text).build());
    }
    List<ReplyCall> calls = reply.goodCalls();
    for (ReplyCall call : several || calls.isEmpty() ? calls : calls.subList(0, 1)) {
      blocks.add(
          Json.object()
              .put("type", "tool_use")
              .put("id", Anthropic.id("toolu_"))
              .put("name", call.name())
              .put("input", call.value())
              .build());
    }
    return blocks;
  }
}
