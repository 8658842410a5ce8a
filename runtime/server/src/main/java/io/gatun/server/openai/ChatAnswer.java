package io.gatun.server.openai;

import io.gatun.TextPiece;
import io.gatun.engine.FinishReason;
import io.gatun.engine.GeneratedToken;
import io.gatun.model.Vocabulary;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.Choices;
import io.gatun.server.http.Json;
import io.gatun.server.models.ModelUse;
import java.util.ArrayList;
import java.util.List;

/** A chat completion, as a whole or in chunks. */
final class ChatAnswer implements Choices.Reader {
  private final String id = OpenAi.id("chatcmpl-");
  private final long created = OpenAi.now();
  private final String model;
  private final Vocabulary vocabulary;
  private final boolean logprobs;
  private final boolean usage;
  private final List<Choice> choices = new ArrayList<>();

  /** What there is of an answer so far. */
  private static final class Choice {
    final StringBuilder text = new StringBuilder();
    final List<GeneratedToken> tokens = new ArrayList<>();
    String finish = "";
  }

  ChatAnswer(ModelUse use, ChatRequest request) {
    this.model = use.name();
    this.vocabulary = use.text().model().vocabulary();
    this.logprobs = request.options().logprobs() >= 0;
    this.usage = request.usage();
    for (int i = 0; i < request.choices(); i++) {
      choices.add(new Choice());
    }
  }

  @Override
  public void piece(int choice, TextPiece piece) {
    choices.get(choice).text.append(piece.text());
    choices.get(choice).tokens.addAll(piece.tokens());
  }

  @Override
  public void end(int choice, FinishReason reason) {
    choices.get(choice).finish = OpenAi.finishReason(reason);
  }

  JsonValue whole(Choices.Totals took) {
    List<JsonValue> shown = new ArrayList<>();
    for (Choice choice : choices) {
      Json message =
          Json.object()
              .put("role", "assistant")
              .put("content", choice.text.toString())
              .putNull("refusal");
      shown.add(
          choice(shown.size())
              .put("message", message)
              .put("logprobs", logprobs(choice.tokens))
              .put("finish_reason", choice.finish)
              .build());
    }
    return head("chat.completion").put("choices", shown).put("usage", OpenAi.usage(took)).build();
  }

  /** The first chunk of a choice: who speaks. */
  JsonValue begin(int choice) {
    return chunk(
        choice, Json.object().put("role", "assistant").put("content", ""), JsonValue.Null.NULL);
  }

  JsonValue chunk(int choice, TextPiece piece) {
    return chunk(choice, Json.object().put("content", piece.text()), logprobs(piece.tokens()));
  }

  private JsonValue chunk(int choice, Json delta, JsonValue probabilities) {
    return chunk(
        choice(choice).put("delta", delta).put("logprobs", probabilities).putNull("finish_reason"));
  }

  /** The last chunk of a choice: why it ended. */
  JsonValue chunkOfEnd(int choice, FinishReason reason) {
    return chunk(
        choice(choice)
            .put("delta", Json.object())
            .putNull("logprobs")
            .put("finish_reason", OpenAi.finishReason(reason)));
  }

  private JsonValue chunk(Json choice) {
    Json chunk = head("chat.completion.chunk").put("choices", List.of(choice.build()));
    return usage ? chunk.putNull("usage").build() : chunk.build();
  }

  /** The chunk behind the last: what all of it took. */
  JsonValue usage(Choices.Totals took) {
    return head("chat.completion.chunk")
        .put("choices", List.of())
        .put("usage", OpenAi.usage(took))
        .build();
  }

  private Json head(String kind) {
    return Json.object()
        .put("id", id)
        .put("object", kind)
        .put("created", created)
        .put("model", model);
  }

  private static Json choice(int index) {
    return Json.object().put("index", index);
  }

  private JsonValue logprobs(List<GeneratedToken> tokens) {
    return logprobs
        ? Json.object()
            .put("content", Logprobs.content(tokens, vocabulary))
            .putNull("refusal")
            .build()
        : JsonValue.Null.NULL;
  }
}
