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
class ChatCompletionsTest {
  private static final String PATH = "/v1/chat/completions";
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

  private static String ask(String rest) {
    return """
    {"model":"stories","temperature":0,"max_completion_tokens":16,
     "messages":[{"role":"system","content":"Be brief."},
                 {"role":"user","content":[{"type":"text","text":"Tell me a story."}]}]%s}
    """
        .formatted(rest);
  }

  @Test
  void an_answer_is_a_message_of_the_assistants() throws Exception {
    Answer answer = server.post(PATH, ask(""));
    assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    assertThat(answer.textAt("object")).isEqualTo("chat.completion");
    assertThat(answer.textAt("id")).startsWith("chatcmpl-");
    assertThat(answer.textAt("choices.0.message.role")).isEqualTo("assistant");
    assertThat(answer.textAt("choices.0.message.content")).contains("there was");
    assertThat(answer.textAt("choices.0.finish_reason")).isEqualTo("length");
    assertThat(answer.longAt("usage.completion_tokens")).isEqualTo(16);
  }

  @Test
  void a_stream_begins_with_the_role_and_has_the_same_text() throws Exception {
    String whole = server.post(PATH, ask("")).textAt("choices.0.message.content");
    List<String> events = server.events(PATH, ask(",\"stream\":true"));
    assertThat(events.getLast()).isEqualTo("[DONE]");
    List<JsonValue> chunks =
        events.subList(0, events.size() - 1).stream().map(JsonReader::read).toList();
    assertThat(TestServer.at(chunks.getFirst(), "choices.0.delta.role"))
        .isEqualTo(JsonValue.of("assistant"));
    String text =
        chunks.stream()
            .map(c -> (JsonValue.Members) TestServer.at(c, "choices.0.delta"))
            .map(d -> d.text("content").orElse(""))
            .collect(Collectors.joining());
    assertThat(text).isEqualTo(whole);
    assertThat(TestServer.at(chunks.getLast(), "choices.0.finish_reason"))
        .isEqualTo(JsonValue.of("length"));
  }

  @Test
  void an_answer_has_the_form_of_its_schema() throws Exception {
    String schema =
        """
        ,"max_completion_tokens":60,"response_format":{"type":"json_schema","json_schema":{
          "name":"pet","strict":true,"schema":{"type":"object","additionalProperties":false,
          "properties":{"kind":{"enum":["dog","cat"]},"age":{"type":"integer","minimum":1,
          "maximum":9}},"required":["kind","age"]}}}
        """;
    Answer answer = server.post(PATH, ask(schema).replace("\"max_completion_tokens\":16,", ""));
    assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    JsonValue.Members pet =
        (JsonValue.Members) JsonReader.read(answer.textAt("choices.0.message.content"));
    assertThat(pet.text("kind").orElseThrow()).isIn("dog", "cat");
    assertThat(((JsonValue.Number) pet.get("age").orElseThrow()).nearestDouble())
        .isBetween(1.0, 9.0);
    assertThat(answer.textAt("choices.0.finish_reason")).isEqualTo("stop");
  }

  @Test
  void any_json_object_may_be_asked_for() throws Exception {
    Answer answer = server.post(PATH, ask(",\"response_format\":{\"type\":\"json_object\"}"));
    assertThat(answer.textAt("choices.0.message.content")).startsWith("{");
  }

  @Test
  void logprobs_come_with_each_token() throws Exception {
    Answer answer = server.post(PATH, ask(",\"logprobs\":true,\"top_logprobs\":3"));
    List<JsonValue> content = ((JsonValue.Items) answer.at("choices.0.logprobs.content")).values();
    assertThat(content).hasSize(16);
    for (JsonValue token : content) {
      List<JsonValue> top = ((JsonValue.Items) TestServer.at(token, "top_logprobs")).values();
      assertThat(top).hasSize(3);
      assertThat(TestServer.at(top.getFirst(), "logprob"))
          .isEqualTo(TestServer.at(token, "logprob"));
    }
    String text =
        content.stream()
            .map(t -> ((JsonValue.Text) TestServer.at(t, "token")).value())
            .collect(Collectors.joining());
    assertThat(text).isEqualTo(answer.textAt("choices.0.message.content"));
  }

  @Test
  void the_second_question_finds_the_first_in_the_cache() throws Exception {
    Answer first = server.post(PATH, ask(""));
    Answer second = server.post(PATH, ask(""));
    assertThat(second.longAt("usage.prompt_tokens_details.cached_tokens"))
        .isGreaterThan(first.longAt("usage.prompt_tokens") / 2);
  }

  @Test
  void each_wrong_field_is_named() throws Exception {
    refused(ask(",\"frequency\":1"), "frequency");
    refused(ask(",\"top_p\":1.5"), "top_p");
    refused(ask(",\"top_k\":\"5\""), "top_k");
    refused(ask(",\"n\":0"), "n");
    refused(ask(",\"n\":1.5"), "n");
    refused(ask(",\"seed\":1e400"), "seed");
    refused(ask(",\"stop\":[\"a\",7]"), "stop[1]");
    refused(ask(",\"stop\":\"\""), "stop");
    refused(ask(",\"logit_bias\":{\"99999\":1}"), "logit_bias");
    refused(ask(",\"logit_bias\":{\"1\":1000}"), "logit_bias.1");
    refused(ask(",\"stream_options\":{\"include_usage\":true}"), "stream_options");
    refused(ask(",\"top_logprobs\":3"), "top_logprobs");
    refused(ask(",\"response_format\":{\"type\":\"xml\"}"), "response_format.type");
    refused(
        ask(
            ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"type\":\"nothing\"}}}"),
        "response_format.json_schema.schema");
    refused(ask(",\"grammar\":\"root ::= (\""), "grammar");
    refused(ask(",\"adapter\":\"pirate\""), "adapter");
    refused("{\"messages\":[]}", "messages");
    refused("{\"messages\":7}", "messages");
    refused("{\"messages\":[{\"role\":\"pope\",\"content\":\"x\"}]}", "messages[0].role");
    refused("{\"messages\":[{\"role\":\"user\"}]}", "messages[0].content");
    refused(
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}",
        "messages[0].content[0].type");
    refused(
        "{\"messages\":[{\"role\":\"tool\",\"content\":\"x\",\"tool_call_id\":\"1\"}]}",
        "messages[0].tool_call_id");
  }

  private static void refused(String body, String field) throws Exception {
    Answer answer = server.post(PATH, body);
    assertThat(answer.status()).as(answer.text()).isEqualTo(400);
    assertThat(answer.textAt("error.param")).isEqualTo(field);
    assertThat(answer.textAt("error.type")).isEqualTo("invalid_request_error");
    assertThat(answer.textAt("error.message")).startsWith(field);
  }
}
