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

/** A plain completion, as a whole or in chunks, which look alike here. */
final class CompletionAnswer implements Choices.Reader {
  private final String id = OpenAi.id("cmpl-");
  private final long created = OpenAi.now();
  private final String model;
  private final Vocabulary vocabulary;
  private final boolean logprobs;
  private final List<Choice> choices = new ArrayList<>();

  /** What there is of a text so far. */
  private static final class Choice {
    final StringBuilder text = new StringBuilder();
    final List<GeneratedToken> tokens = new ArrayList<>();
    String finish = "";
  }

  CompletionAnswer(ModelUse use, CompletionRequest request) {
    this.model = use.name();
    this.vocabulary = use.text().model().vocabulary();
    this.logprobs = request.options().logprobs() >= 0;
    for (CompletionRequest.Prompt prompt : request.prompts()) {
      for (int i = 0; i < request.choices(); i++) {
        Choice choice = new Choice();
        choice.text.append(prompt.echo());
        choices.add(choice);
      }
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
      shown.add(
          choice(shown.size(), choice.text.toString(), logprobs(choice.tokens, 0))
              .put("finish_reason", choice.finish)
              .build());
    }
    return head().put("choices", shown).put("usage", OpenAi.usage(took)).build();
  }

  /** Chunks of the prompts, where they are wanted. */
  List<JsonValue> echo() {
    List<JsonValue> chunks = new ArrayList<>();
    for (int i = 0; i < choices.size(); i++) {
      if (!choices.get(i).text.isEmpty()) {
        chunks.add(chunk(i, choices.get(i).text.toString(), JsonValue.Null.NULL));
      }
    }
    return chunks;
  }

  JsonValue chunk(int choice, TextPiece piece) {
    StringBuilder text = choices.get(choice).text;
    int before = text.length();
    text.append(piece.text());
    return chunk(choice, piece.text(), logprobs(piece.tokens(), before));
  }

  private JsonValue chunk(int choice, String text, JsonValue probabilities) {
    return head()
        .put(
            "choices",
            List.of(choice(choice, text, probabilities).putNull("finish_reason").build()))
        .build();
  }

  JsonValue chunkOfEnd(int choice, FinishReason reason) {
    return head()
        .put(
            "choices",
            List.of(
                choice(choice, "", JsonValue.Null.NULL)
                    .put("finish_reason", OpenAi.finishReason(reason))
                    .build()))
        .build();
  }

  JsonValue usage(Choices.Totals took) {
    return head().put("choices", List.of()).put("usage", OpenAi.usage(took)).build();
  }

  private Json head() {
    return Json.object()
        .put("id", id)
        .put("object", "text_completion")
        .put("created", created)
        .put("model", model);
  }

  private static Json choice(int index, String text, JsonValue probabilities) {
    return Json.object().put("text", text).put("index", index).put("logprobs", probabilities);
  }

  private JsonValue logprobs(List<GeneratedToken> tokens, int offset) {
    return logprobs ? Logprobs.plain(tokens, vocabulary, offset) : JsonValue.Null.NULL;
  }
}
