package io.gatun.server.openai;

import io.gatun.engine.FinishReason;
import io.gatun.engine.GeneratedToken;
import io.gatun.model.Vocabulary;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyCall;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.ChatReader;
import io.gatun.server.generate.Choices;
import io.gatun.server.http.Json;
import io.gatun.server.models.ModelUse;
import java.util.ArrayList;
import java.util.List;

/** A chat completion as a whole. */
final class ChatAnswer implements ChatReader {
  private final ChatHead head;
  private final Vocabulary vocabulary;
  private final boolean logprobs;
  private final boolean severalCalls;
  private final List<Choice> choices = new ArrayList<>();

  /** What there is of an answer so far. */
  private static final class Choice {
    final List<GeneratedToken> tokens = new ArrayList<>();
    Reply reply = new Reply("", "", List.of());
    String finish = "";
  }

  ChatAnswer(ModelUse use, ChatRequest request) {
    this.head = new ChatHead(use.name());
    this.vocabulary = use.text().model().vocabulary();
    this.logprobs = request.plan().options().logprobs() >= 0;
    this.severalCalls = request.plan().tools().several();
    for (int i = 0; i < request.plan().choices(); i++) {
      choices.add(new Choice());
    }
  }

  @Override
  public void tokens(int choice, List<GeneratedToken> tokens) {
    choices.get(choice).tokens.addAll(tokens);
  }

  @Override
  public void end(int choice, FinishReason reason, Reply reply) {
    choices.get(choice).reply = reply;
    choices.get(choice).finish = OpenAi.finishReason(reason, reply);
  }

  JsonValue whole(Choices.Totals took) {
    List<JsonValue> shown = new ArrayList<>();
    for (Choice choice : choices) {
      shown.add(
          Json.object()
              .put("index", shown.size())
              .put("message", message(choice.reply))
              .put(
                  "logprobs",
                  logprobs ? Logprobs.of(choice.tokens, vocabulary) : JsonValue.Null.NULL)
              .put("finish_reason", choice.finish)
              .build());
    }
    return head.of("chat.completion")
        .put("choices", shown)
        .put("usage", OpenAi.usage(took))
        .build();
  }

  private Json message(Reply reply) {
    List<JsonValue> calls = new ArrayList<>();
    for (ReplyCall call : reply.goodCalls()) {
      if (calls.isEmpty() || severalCalls) {
        calls.add(
            Json.object()
                .put("id", OpenAi.id("call_"))
                .put("type", "function")
                .put(
                    "function",
                    Json.object().put("name", call.name()).put("arguments", call.arguments()))
                .build());
      }
    }
    String content = reply.message().content();
    Json message = Json.object().put("role", "assistant");
    if (content.isEmpty() && !calls.isEmpty()) {
      message.putNull("content");
    } else {
      message.put("content", content);
    }
    message.putNull("refusal");
    if (!reply.reasoning().isEmpty()) {
      message.put("reasoning_content", reply.reasoning());
    }
    return calls.isEmpty() ? message : message.put("tool_calls", calls);
  }
}
