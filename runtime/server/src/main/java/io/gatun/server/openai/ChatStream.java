package io.gatun.server.openai;

import io.gatun.engine.FinishReason;
import io.gatun.engine.GeneratedToken;
import io.gatun.model.Vocabulary;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyEvent;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.ChatReader;
import io.gatun.server.generate.Choices;
import io.gatun.server.http.Json;
import io.gatun.server.http.ReplyStream;
import io.gatun.server.models.ModelUse;
import java.util.ArrayList;
import java.util.List;

/** A chat completion in chunks. */
final class ChatStream implements ChatReader {
  private final ReplyStream out;
  private final ChatHead head;
  private final Vocabulary vocabulary;
  private final boolean logprobs;
  private final boolean usage;
  private final boolean severalCalls;

  /** Tokens of each answer that were not told of yet. */
  private final List<List<GeneratedToken>> untold = new ArrayList<>();

  ChatStream(ReplyStream out, ModelUse use, ChatRequest request) {
    this.out = out;
    this.head = new ChatHead(use.name());
    this.vocabulary = use.text().model().vocabulary();
    this.logprobs = request.plan().options().logprobs() >= 0;
    this.usage = request.usage();
    this.severalCalls = request.plan().tools().several();
    for (int i = 0; i < request.plan().choices(); i++) {
      untold.add(new ArrayList<>());
      delta(i, Json.object().put("role", "assistant").put("content", ""));
    }
  }

  @Override
  public void tokens(int choice, List<GeneratedToken> tokens) {
    untold.get(choice).addAll(tokens);
  }

  @Override
  public void end(int choice, FinishReason reason, Reply reply) {
    chunk(choice, Json.object(), OpenAi.finishReason(reason, reply));
  }

  /** The last chunk, behind all choices. */
  void finish(Choices.Totals took) {
    if (usage) {
      out.event(
          head.of("chat.completion.chunk")
              .put("choices", List.of())
              .put("usage", OpenAi.usage(took))
              .build());
    }
    out.done();
  }

  @Override
  public void event(int choice, ReplyEvent event) {
    switch (event) {
      case ReplyEvent.Content(String text) -> delta(choice, Json.object().put("content", text));
      case ReplyEvent.Reasoning(String text) ->
          delta(choice, Json.object().put("reasoning_content", text));
      case ReplyEvent.CallBegun(int index, String name) ->
          call(
              choice,
              index,
              Json.object()
                  .put("index", index)
                  .put("id", OpenAi.id("call_"))
                  .put("type", "function")
                  .put("function", Json.object().put("name", name).put("arguments", "")));
      case ReplyEvent.CallArguments(int index, String text) ->
          call(
              choice,
              index,
              Json.object()
                  .put("index", index)
                  .put("function", Json.object().put("arguments", text)));
      case ReplyEvent.CallEnded _ -> {}
    }
  }

  private void call(int choice, int index, Json call) {
    if (index == 0 || severalCalls) {
      delta(choice, Json.object().put("tool_calls", List.of(call.build())));
    }
  }

  private void delta(int choice, Json delta) {
    chunk(choice, delta, "");
  }

  private void chunk(int choice, Json delta, String finish) {
    Json part =
        Json.object()
            .put("index", choice)
            .put("delta", delta)
            .put("logprobs", probabilities(untold.get(choice)));
    part = finish.isEmpty() ? part.putNull("finish_reason") : part.put("finish_reason", finish);
    Json chunk = head.of("chat.completion.chunk").put("choices", List.of(part.build()));
    out.event(usage ? chunk.putNull("usage").build() : chunk.build());
  }

  /** Of the tokens that were not told of yet. */
  private JsonValue probabilities(List<GeneratedToken> tokens) {
    if (!logprobs || tokens.isEmpty()) {
      return JsonValue.Null.NULL;
    }
    JsonValue shown = Logprobs.of(tokens, vocabulary);
    tokens.clear();
    return shown;
  }
}
