package io.gatun.server.ollama;

import io.gatun.engine.FinishReason;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyCall;
import io.gatun.model.chat.reply.ReplyEvent;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.ChatReader;
import io.gatun.server.generate.ChatRun;
import io.gatun.server.http.Exchange;
import io.gatun.server.http.Fields;
import io.gatun.server.http.Json;
import io.gatun.server.http.ReplyStream;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An answer to a conversation, whole or in lines. */
final class AnswerLines {
  private final String model;
  private final Form form;
  private final long startNanos = System.nanoTime();

  /** Where in a line stands what was said. */
  interface Form {
    Json put(Json line, JsonValue.Members said);
  }

  AnswerLines(String model, Form form) {
    this.model = model;
    this.form = form;
  }

  /** {@code think}: whether the model thinks before, for templates that ask. */
  static Map<String, JsonValue> thinking(Fields body) {
    return body.bool("think")
        .<Map<String, JsonValue>>map(think -> Map.of("enable_thinking", JsonValue.of(think)))
        .orElse(Map.of());
  }

  void send(Exchange exchange, ChatRun run, boolean stream) throws InterruptedException {
    if (stream) {
      try (ReplyStream out = exchange.lines()) {
        Lines lines = new Lines(out);
        run.read(lines);
        out.line(last(said("", "", List.of()), lines.reason, run));
      }
    } else {
      Whole whole = new Whole();
      run.read(whole);
      exchange.send(
          last(
              said(
                  whole.reply.message().content(),
                  whole.reply.reasoning(),
                  whole.reply.goodCalls()),
              whole.reason,
              run));
    }
  }

  private JsonValue last(JsonValue.Members said, FinishReason reason, ChatRun run) {
    return Ollama.last(form.put(Ollama.line(model), said), reason, run.usage(0), startNanos)
        .build();
  }

  private static JsonValue.Members said(String content, String thinking, List<ReplyCall> calls) {
    Json said = Json.object().put("content", content);
    if (!thinking.isEmpty()) {
      said.put("thinking", thinking);
    }
    if (!calls.isEmpty()) {
      said.put("tool_calls", calls.stream().map(AnswerLines::call).toList());
    }
    return said.build();
  }

  private static JsonValue call(ReplyCall call) {
    return Json.object()
        .put("function", Json.object().put("name", call.name()).put("arguments", call.value()))
        .build();
  }

  /** Keeps an answer. */
  private static final class Whole implements ChatReader {
    Reply reply = new Reply("", "", List.of());
    FinishReason reason = FinishReason.STOP;

    @Override
    public void end(int choice, FinishReason ended, Reply all) {
      reason = ended;
      reply = all;
    }
  }

  /** Sends an answer as it comes; calls as a whole. */
  private final class Lines implements ChatReader {
    private final ReplyStream out;
    FinishReason reason = FinishReason.STOP;

    Lines(ReplyStream out) {
      this.out = out;
    }

    @Override
    public void event(int choice, ReplyEvent event) {
      JsonValue.@Nullable Members said =
          switch (event) {
            case ReplyEvent.Content(String text) -> said(text, "", List.of());
            case ReplyEvent.Reasoning(String text) -> said("", text, List.of());
            case ReplyEvent.CallEnded(int _, ReplyCall call) when call.problem().isEmpty() ->
                said("", "", List.of(call));
            default -> null;
          };
      if (said != null) {
        out.line(form.put(Ollama.line(model), said).put("done", false).build());
      }
    }

    @Override
    public void end(int choice, FinishReason ended, Reply all) {
      reason = ended;
    }
  }
}
