package io.gatun.server.openai;

import io.gatun.engine.GeneratedToken;
import io.gatun.model.Vocabulary;
import io.gatun.model.json.JsonValue;
import io.gatun.server.http.Json;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Log-probabilities as chat completions and plain completions show them. */
final class Logprobs {
  private Logprobs() {}

  /** {@code logprobs} of a chat completion. */
  static JsonValue of(List<GeneratedToken> tokens, Vocabulary vocabulary) {
    return Json.object().put("content", content(tokens, vocabulary)).putNull("refusal").build();
  }

  private static List<JsonValue> content(List<GeneratedToken> tokens, Vocabulary vocabulary) {
    List<JsonValue> content = new ArrayList<>();
    for (GeneratedToken token : tokens) {
      List<JsonValue> top = new ArrayList<>();
      token.top().forEach(t -> top.add(entry(t.id(), t.logprob(), vocabulary).build()));
      content.add(entry(token.id(), token.logprob(), vocabulary).put("top_logprobs", top).build());
    }
    return content;
  }

  private static Json entry(int token, float logprob, Vocabulary vocabulary) {
    byte[] bytes = bytes(token, vocabulary);
    List<JsonValue> numbers = new ArrayList<>();
    for (byte b : bytes) {
      numbers.add(JsonValue.of(Byte.toUnsignedInt(b)));
    }
    return Json.object()
        .put("token", text(bytes))
        .put("logprob", Json.number(logprob))
        .put("bytes", numbers);
  }

  /** A model may have more rows than its vocabulary has tokens. */
  private static byte[] bytes(int token, Vocabulary vocabulary) {
    return token < vocabulary.size() ? vocabulary.bytes(token) : new byte[0];
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /**
   * {@code logprobs} of a plain completion.
   *
   * @param offset where the first token's text begins, in characters
   */
  static JsonValue plain(List<GeneratedToken> tokens, Vocabulary vocabulary, int offset) {
    List<JsonValue> texts = new ArrayList<>();
    List<JsonValue> own = new ArrayList<>();
    List<JsonValue> best = new ArrayList<>();
    List<JsonValue> offsets = new ArrayList<>();
    int at = offset;
    for (GeneratedToken token : tokens) {
      String text = text(bytes(token.id(), vocabulary));
      texts.add(JsonValue.of(text));
      own.add(Json.number(token.logprob()));
      Json top = Json.object();
      token.top().forEach(t -> top.put(text(bytes(t.id(), vocabulary)), Json.number(t.logprob())));
      best.add(top.build());
      offsets.add(JsonValue.of(at));
      at += text.length();
    }
    return Json.object()
        .put("tokens", texts)
        .put("token_logprobs", own)
        .put("top_logprobs", best)
        .put("text_offset", offsets)
        .build();
  }
}
