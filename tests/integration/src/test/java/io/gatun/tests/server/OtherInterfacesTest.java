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

/** Responses, Anthropic's messages, and what Ollama's clients need. */
@Timeout(60)
class OtherInterfacesTest {
  private static final String TOOL_PARAMETERS =
      "{\"type\":\"object\",\"properties\":{\"city\":{\"enum\":[\"Paris\"]}},\"required\":[\"city\"],"
          + "\"additionalProperties\":false}";
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

  private static List<JsonValue> lines(Answer answer) {
    assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    return answer.text().lines().map(JsonReader::read).toList();
  }

  private static List<JsonValue> events(String path, String body) throws Exception {
    return server.events(path, body).stream().map(JsonReader::read).toList();
  }

  private static String type(JsonValue event) {
    return ((JsonValue.Text) TestServer.at(event, "type")).value();
  }

  @Test
  void a_response_has_a_message() throws Exception {
    String body =
        "{\"input\":\"Tell me a story.\",\"instructions\":\"Be"
            + " brief.\",\"temperature\":0,\"max_output_tokens\":12%s}";
    Answer whole = server.post("/v1/responses", body.formatted(""));
    assertThat(whole.status()).as(whole.text()).isEqualTo(200);
    assertThat(whole.textAt("status")).isEqualTo("incomplete");
    assertThat(whole.textAt("incomplete_details.reason")).isEqualTo("max_output_tokens");
    String text = whole.textAt("output.0.content.0.text");
    assertThat(text).isNotEmpty();
    assertThat(whole.longAt("usage.output_tokens")).isEqualTo(12);
    List<JsonValue> events = events("/v1/responses", body.formatted(",\"stream\":true"));
    assertThat(events.stream().map(OtherInterfacesTest::type).distinct())
        .containsExactly(
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.incomplete");
    String streamed =
        events.stream()
            .filter(e -> type(e).equals("response.output_text.delta"))
            .map(e -> ((JsonValue.Text) TestServer.at(e, "delta")).value())
            .collect(Collectors.joining());
    assertThat(streamed).isEqualTo(text);
    for (int i = 0; i < events.size(); i++) {
      assertThat(TestServer.at(events.get(i), "sequence_number")).isEqualTo(JsonValue.of(i));
    }
  }

  @Test
  void a_response_may_have_a_form_or_be_a_call() throws Exception {
    Answer form =
        server.post(
            "/v1/responses",
            "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"Hi\"}]}],"
                + "\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"a\",\"schema\":%s}}}"
                    .formatted(TOOL_PARAMETERS));
    assertThat(JsonReader.read(form.textAt("output.0.content.0.text")))
        .isEqualTo(JsonReader.read("{\"city\":\"Paris\"}"));
    assertThat(form.textAt("status")).isEqualTo("completed");
    Answer call =
        server.post(
            "/v1/responses",
            "{\"input\":\"Hi\",\"tools\":[{\"type\":\"function\",\"name\":\"go\",\"parameters\":%s}],"
                    .formatted(TOOL_PARAMETERS)
                + "\"tool_choice\":{\"type\":\"function\",\"name\":\"go\"}}");
    assertThat(call.textAt("output.0.type")).isEqualTo("function_call");
    assertThat(call.textAt("output.0.name")).isEqualTo("go");
    assertThat(call.textAt("output.0.arguments")).isEqualTo("{\"city\":\"Paris\"}");
    String id = call.textAt("output.0.call_id");
    Answer next =
        server.post(
            "/v1/responses",
            ("{\"max_output_tokens\":4,\"input\":[{\"role\":\"user\",\"content\":\"Hi\"},"
                    + "{\"type\":\"function_call\",\"call_id\":\"%s\",\"name\":\"go\",\"arguments\":\"{}\"},"
                    + "{\"type\":\"function_call_output\",\"call_id\":\"%s\",\"output\":\"Done\"}]}")
                .formatted(id, id));
    assertThat(next.status()).as(next.text()).isEqualTo(200);
    Answer refused =
        server.post("/v1/responses", "{\"input\":\"a\",\"previous_response_id\":\"resp_1\"}");
    assertThat(refused.textAt("error.param")).isEqualTo("previous_response_id");
  }

  @Test
  void a_message_of_anthropics_has_blocks() throws Exception {
    String body =
        "{\"model\":\"stories\",\"max_tokens\":12,\"temperature\":0,\"system\":[{\"type\":\"text\",\"text\":\"Be"
            + " brief.\"}],\"messages\":[{\"role\":\"user\",\"content\":\"Tell me a story.\"}]%s}";
    Answer whole = server.post("/v1/messages", body.formatted(""));
    assertThat(whole.status()).as(whole.text()).isEqualTo(200);
    assertThat(whole.textAt("role")).isEqualTo("assistant");
    assertThat(whole.textAt("stop_reason")).isEqualTo("max_tokens");
    String text = whole.textAt("content.0.text");
    List<JsonValue> events = events("/v1/messages", body.formatted(",\"stream\":true"));
    assertThat(events.stream().map(OtherInterfacesTest::type).distinct())
        .containsExactly(
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop");
    String streamed =
        events.stream()
            .filter(e -> type(e).equals("content_block_delta"))
            .map(e -> ((JsonValue.Text) TestServer.at(e, "delta.text")).value())
            .collect(Collectors.joining());
    assertThat(streamed).isEqualTo(text);
    Answer stopped =
        server.post("/v1/messages", body.formatted(",\"stop_sequences\":[\"zzz\",\"a\"]"));
    assertThat(stopped.textAt("stop_reason")).isEqualTo("stop_sequence");
    assertThat(stopped.textAt("stop_sequence")).isEqualTo("a");
  }

  @Test
  void anthropics_tools_are_called_and_answered() throws Exception {
    String tools =
        "\"tools\":[{\"name\":\"go\",\"input_schema\":%s}],\"tool_choice\":{\"type\":\"any\"}"
            .formatted(TOOL_PARAMETERS);
    Answer call =
        server.post(
            "/v1/messages",
            "{\"max_tokens\":90,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],%s}"
                .formatted(tools));
    assertThat(call.status()).as(call.text()).isEqualTo(200);
    assertThat(call.textAt("stop_reason")).isEqualTo("tool_use");
    assertThat(call.textAt("content.0.name")).isEqualTo("go");
    assertThat(call.textAt("content.0.input.city")).isEqualTo("Paris");
    String id = call.textAt("content.0.id");
    Answer next =
        server.post(
            "/v1/messages",
            ("{\"max_tokens\":3,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},"
                    + "{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"%s\",\"name\":\"go\",\"input\":{}}]},"
                    + "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"%s\",\"content\":\"Done\"}]}]}")
                .formatted(id, id));
    assertThat(next.status()).as(next.text()).isEqualTo(200);
    Answer refused = server.post("/v1/messages", "{\"messages\":[]}");
    assertThat(refused.status()).isEqualTo(400);
    assertThat(refused.textAt("type")).isEqualTo("error");
    assertThat(refused.textAt("error.type")).isEqualTo("invalid_request_error");
  }

  @Test
  void ollamas_chat_comes_in_lines() throws Exception {
    String body =
        "{\"model\":\"stories:latest\",\"messages\":[{\"role\":\"user\",\"content\":\"Tell me a"
            + " story.\"}],\"options\":{\"temperature\":0,\"num_predict\":12,\"num_ctx\":4096}%s}";
    List<JsonValue> lines = lines(server.post("/api/chat", body.formatted("")));
    JsonValue last = lines.getLast();
    assertThat(TestServer.at(last, "done")).isEqualTo(JsonValue.of(true));
    assertThat(TestServer.at(last, "done_reason")).isEqualTo(JsonValue.of("length"));
    assertThat(TestServer.at(last, "eval_count")).isEqualTo(JsonValue.of(12));
    String text =
        lines.stream()
            .map(l -> ((JsonValue.Text) TestServer.at(l, "message.content")).value())
            .collect(Collectors.joining());
    Answer whole = server.post("/api/chat", body.formatted(",\"stream\":false"));
    assertThat(whole.textAt("message.content")).isEqualTo(text);
    Answer form =
        server.post("/api/chat", body.formatted(",\"stream\":false,\"format\":" + TOOL_PARAMETERS));
    assertThat(form.textAt("message.content")).containsPattern("\"city\":\\s*\"Paris");
    Answer refused = server.post("/api/chat", body.formatted(",\"streem\":false"));
    assertThat(refused.textAt("error")).isEqualTo("streem: there is no such field");
  }

  @Test
  void ollamas_generate_answers_or_completes() throws Exception {
    String body =
        "{\"model\":\"stories\",\"prompt\":\"Once upon a"
            + " time\",\"options\":{\"temperature\":0,\"num_predict\":8}%s}";
    String raw =
        lines(server.post("/api/generate", body.formatted(",\"raw\":true"))).stream()
            .map(l -> ((JsonValue.Text) TestServer.at(l, "response")).value())
            .collect(Collectors.joining());
    assertThat(raw).startsWith(", there was");
    Answer whole = server.post("/api/generate", body.formatted(",\"raw\":true,\"stream\":false"));
    assertThat(whole.textAt("response")).isEqualTo(raw);
    Answer answered = server.post("/api/generate", body.formatted(",\"stream\":false"));
    assertThat(answered.textAt("response")).isNotEmpty();
    assertThat(server.get("/api/tags").textAt("models.0.name")).isEqualTo("stories");
    assertThat(server.get("/api/version").status()).isEqualTo(200);
  }
}
