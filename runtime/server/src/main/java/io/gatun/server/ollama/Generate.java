package io.gatun.server.ollama;

import io.gatun.GenerateOptions;
import io.gatun.TextPiece;
import io.gatun.engine.FinishReason;
import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.Conversation;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.ChatPlan;
import io.gatun.server.generate.Choices;
import io.gatun.server.generate.TextPlan;
import io.gatun.server.generate.Texts;
import io.gatun.server.generate.ToolUse;
import io.gatun.server.http.ApiException;
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
import java.util.Optional;

/**
 * {@code POST /api/generate}: the answer to one message, or, with {@code raw} or a model without a
 * chat template, what follows a text.
 */
public final class Generate implements Endpoint {
  private final Texts texts;

  public Generate(Texts texts) {
    this.texts = texts;
  }

  @Override
  public String method() {
    return "POST";
  }

  @Override
  public String path() {
    return "/api/generate";
  }

  @Override
  public ErrorForm errors() {
    return Ollama.ERRORS;
  }

  @Override
  public void answer(Exchange exchange) throws IOException, InterruptedException {
    Fields body = exchange.body();
    try (ModelUse use = Ollama.use(texts, body)) {
      refuse(body);
      boolean stream = body.bool("stream").orElse(true);
      String prompt = body.text("prompt").orElse("");
      Optional<String> system = body.text("system").filter(s -> !s.isEmpty());
      boolean raw = body.flag("raw") || use.text().model().vocabulary().chatTemplate().isEmpty();
      GenerateOptions options = Ollama.options(body, use.text());
      var variables = AnswerLines.thinking(body);
      body.end();
      if (raw) {
        complete(exchange, use, system.map(s -> s + "\n").orElse("") + prompt, options, stream);
        return;
      }
      List<ChatMessage> messages = new ArrayList<>();
      system.ifPresent(s -> messages.add(ChatMessage.system(s)));
      messages.add(ChatMessage.user(prompt));
      ChatPlan plan =
          new ChatPlan(
              Conversation.of(messages).withVariables(variables), options, ToolUse.NONE, 1);
      AnswerLines lines = new AnswerLines(use.name(), Generate::response);
      texts.chat(exchange, use, plan, run -> lines.send(exchange, run, stream));
    }
  }

  private static void refuse(Fields body) {
    body.only("suffix", JsonValue.of(""), "is not supported");
    body.only("template", JsonValue.of(""), "is not supported; the model's own is used");
    body.only("context", JsonValue.Items.EMPTY, "is not supported; use /api/chat");
    if (!body.items("images", 1).isEmpty()) {
      throw ApiException.field("images", "the model sees none");
    }
  }

  private static Json response(Json line, JsonValue.Members said) {
    line.put("response", said.text("content").orElse(""));
    return said.text("thinking").map(t -> line.put("thinking", t)).orElse(line);
  }

  private void complete(
      Exchange exchange, ModelUse use, String text, GenerateOptions options, boolean stream)
      throws InterruptedException {
    int[] prompt = texts.prompts().of(text, use.text());
    long start = System.nanoTime();
    texts.generate(
        exchange,
        use,
        List.of(new TextPlan(prompt, options, 1)),
        choices -> {
          if (stream) {
            try (ReplyStream out = exchange.lines()) {
              Plain plain = new Plain(Optional.of(out), use.name());
              choices.read(plain);
              out.line(plain.last("", choices, start));
            }
          } else {
            Plain plain = new Plain(Optional.empty(), use.name());
            choices.read(plain);
            exchange.send(plain.last(plain.text.toString(), choices, start));
          }
        });
  }

  /** A completion, in lines if they go somewhere. */
  private static final class Plain implements Choices.Reader {
    private final Optional<ReplyStream> out;
    private final String model;
    final StringBuilder text = new StringBuilder();
    private FinishReason reason = FinishReason.STOP;

    Plain(Optional<ReplyStream> out, String model) {
      this.out = out;
      this.model = model;
    }

    @Override
    public void piece(int choice, TextPiece piece) {
      text.append(piece.text());
      out.ifPresent(
          o -> o.line(Ollama.line(model).put("response", piece.text()).put("done", false).build()));
    }

    @Override
    public void end(int choice, FinishReason ended) {
      reason = ended;
    }

    JsonValue last(String response, Choices choices, long start) {
      Json line = Ollama.line(model).put("response", response);
      return Ollama.last(line, reason, choices.usage(0), start).build();
    }
  }
}
