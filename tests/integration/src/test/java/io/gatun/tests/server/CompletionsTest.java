package io.gatun.tests.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.tests.server.TestServer.Answer;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CompletionsTest {
  private static final String PATH = "/v1/completions";
  private static TestServer server;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start();
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  private static String greedy(String rest) {
    return "{\"prompt\":\"Once upon a time\",\"temperature\":0,\"max_tokens\":20%s}"
        .formatted(rest);
  }

  @Test
  void a_completion_has_text_usage_and_a_reason() throws Exception {
    Answer answer = server.post(PATH, greedy(""));
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.textAt("object")).isEqualTo("text_completion");
    assertThat(answer.textAt("model")).isEqualTo("stories");
    assertThat(answer.textAt("choices.0.text")).startsWith(", there was a little girl");
    assertThat(answer.textAt("choices.0.finish_reason")).isEqualTo("length");
    assertThat(answer.longAt("usage.completion_tokens")).isEqualTo(20);
    assertThat(answer.longAt("usage.total_tokens"))
        .isEqualTo(20 + answer.longAt("usage.prompt_tokens"));
  }

  @Test
  void a_stream_has_the_same_text_in_pieces() throws Exception {
    String whole = server.post(PATH, greedy("")).textAt("choices.0.text");
    List<String> events =
        server.events(PATH, greedy(",\"stream\":true,\"stream_options\":{\"include_usage\":true}"));
    assertThat(events.getLast()).isEqualTo("[DONE]");
    assertThat(events).hasSizeGreaterThan(10);
    List<JsonValue> chunks =
        events.subList(0, events.size() - 1).stream().map(JsonReader::read).toList();
    String text =
        chunks.subList(0, chunks.size() - 1).stream()
            .map(c -> ((JsonValue.Text) TestServer.at(c, "choices.0.text")).value())
            .collect(Collectors.joining());
    assertThat(text).isEqualTo(whole);
    assertThat(TestServer.at(chunks.getLast(), "usage.completion_tokens"))
        .isEqualTo(JsonValue.of(20));
    assertThat(TestServer.at(chunks.get(chunks.size() - 2), "choices.0.finish_reason"))
        .isEqualTo(JsonValue.of("length"));
  }

  @Test
  void a_stop_text_ends_it_and_does_not_appear() throws Exception {
    Answer answer = server.post(PATH, greedy(",\"stop\":[\"never\",\"girl\"]"));
    assertThat(answer.textAt("choices.0.text")).isEqualTo(", there was a little ");
    assertThat(answer.textAt("choices.0.finish_reason")).isEqualTo("stop");
  }

  @Test
  void several_choices_differ_and_a_seed_gives_them_again() throws Exception {
    String body =
        "{\"prompt\":\"Once\",\"n\":3,\"seed\":7,\"temperature\":1.5,\"max_tokens\":12,"
            + "\"top_k\":0,\"top_p\":1,\"min_p\":0}";
    Answer first = server.post(PATH, body);
    Answer second = server.post(PATH, body);
    assertThat(first.at("choices")).isEqualTo(second.at("choices"));
    assertThat(first.textAt("choices.0.text")).isNotEqualTo(first.textAt("choices.1.text"));
    assertThat(first.textAt("choices.1.text")).isNotEqualTo(first.textAt("choices.2.text"));
    assertThat(first.longAt("usage.completion_tokens")).isEqualTo(36);
    Answer other = server.post(PATH, body.replace("\"seed\":7", "\"seed\":8"));
    assertThat(other.at("choices")).isNotEqualTo(first.at("choices"));
  }

  @Test
  void streamed_choices_come_side_by_side() throws Exception {
    String body = "{\"prompt\":\"Once\",\"n\":2,\"seed\":7,\"max_tokens\":12%s}";
    Answer whole = server.post(PATH, body.formatted(""));
    List<String> events = server.events(PATH, body.formatted(",\"stream\":true"));
    for (int choice = 0; choice < 2; choice++) {
      JsonValue index = JsonValue.of(choice);
      String text =
          events.stream()
              .filter(e -> !e.equals("[DONE]"))
              .map(JsonReader::read)
              .filter(e -> TestServer.at(e, "choices.0.index").equals(index))
              .map(e -> ((JsonValue.Text) TestServer.at(e, "choices.0.text")).value())
              .collect(Collectors.joining());
      assertThat(text).isEqualTo(whole.textAt("choices.%d.text".formatted(choice)));
    }
  }

  @Test
  void several_prompts_and_token_ids_are_completed() throws Exception {
    String text = server.post(PATH, greedy("")).textAt("choices.0.text");
    Answer answer =
        server.post(
            PATH,
            "{\"prompt\":[\"Once upon a time\",\"The dog\"],\"temperature\":0,\"max_tokens\":20}");
    assertThat(answer.textAt("choices.0.text")).isEqualTo(text);
    assertThat(answer.longAt("choices.1.index")).isEqualTo(1);
    Answer ids =
        server.post(PATH, "{\"prompt\":[1,403,407,261,378],\"temperature\":0,\"max_tokens\":20}");
    assertThat(ids.textAt("choices.0.text")).isEqualTo(text);
    assertThat(ids.longAt("usage.prompt_tokens")).isEqualTo(5);
  }

  @Test
  void logprobs_are_those_of_the_tokens() throws Exception {
    Answer answer = server.post(PATH, greedy(",\"logprobs\":2"));
    List<JsonValue> tokens = ((JsonValue.Items) answer.at("choices.0.logprobs.tokens")).values();
    List<JsonValue> own =
        ((JsonValue.Items) answer.at("choices.0.logprobs.token_logprobs")).values();
    assertThat(tokens).hasSize(20);
    String text =
        tokens.stream().map(t -> ((JsonValue.Text) t).value()).collect(Collectors.joining());
    assertThat(text).isEqualTo(answer.textAt("choices.0.text"));
    for (int i = 0; i < 20; i++) {
      JsonValue.Members top = (JsonValue.Members) answer.at("choices.0.logprobs.top_logprobs." + i);
      // Greedy: the token taken is the best of all.
      assertThat(top.values().values().iterator().next()).isEqualTo(own.get(i));
      assertThat(((JsonValue.Number) own.get(i)).nearestDouble()).isBetween(-20.0, 0.0);
    }
  }

  @Test
  void a_bias_forbids_a_token() throws Exception {
    // 432 is the comma that the story goes on with.
    String comma = server.post(PATH, greedy(",\"logprobs\":0")).textAt("choices.0.text");
    assertThat(comma).startsWith(",");
    Answer answer = server.post(PATH, greedy(",\"logit_bias\":{\"432\":-100}"));
    assertThat(answer.textAt("choices.0.text")).doesNotContain(",");
  }

  @Test
  void a_grammar_is_obeyed_also_where_probabilities_are_wanted() throws Exception {
    String grammar = ",\"grammar\":\"root ::= \\\" yes, it was so\\\"\"";
    Answer jumped = server.post(PATH, greedy(grammar));
    assertThat(jumped.textAt("choices.0.text")).isEqualTo(" yes, it was so");
    assertThat(jumped.textAt("choices.0.finish_reason")).isEqualTo("stop");
    Answer rated = server.post(PATH, greedy(grammar + ",\"logprobs\":0"));
    assertThat(rated.textAt("choices.0.text")).isEqualTo(" yes, it was so");
    List<JsonValue> own =
        ((JsonValue.Items) rated.at("choices.0.logprobs.token_logprobs")).values();
    assertThat(own).isNotEmpty().allMatch(p -> ((JsonValue.Number) p).nearestDouble() > -9999);
  }

  @Test
  void an_echo_puts_the_prompt_before() throws Exception {
    assertThat(server.post(PATH, greedy(",\"echo\":true")).textAt("choices.0.text"))
        .startsWith("Once upon a time, there was");
  }
}
