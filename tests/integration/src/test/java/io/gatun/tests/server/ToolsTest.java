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

/** Tool calls and reasoning, as clients of chat completions see them. */
@Timeout(60)
class ToolsTest {
  private static final String PATH = "/v1/chat/completions";
  private static final String WEATHER =
      """
      {"type":"function","function":{"name":"weather","description":"Tells the weather.",
       "parameters":{"type":"object","properties":{"city":{"$ref":"#/$defs/city"},
         "days":{"type":"integer","minimum":1,"maximum":5}},
         "required":["city","days"],"additionalProperties":false,
         "$defs":{"city":{"enum":["Paris","Rome"]}}}}}
      """;
  private static final String CLOCK = "{\"type\":\"function\",\"function\":{\"name\":\"clock\"}}";
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
    return "{\"temperature\":0,\"messages\":[{\"role\":\"user\",\"content\":\"Hi.\"}]%s}"
        .formatted(rest);
  }

  private static String tools(String choice) {
    return ask(
        ",\"max_tokens\":200,\"tools\":[%s,%s],\"tool_choice\":%s"
            .formatted(CLOCK, WEATHER, choice));
  }

  @Test
  void a_named_tool_is_called_with_arguments_of_its_schema() throws Exception {
    String named = "{\"type\":\"function\",\"function\":{\"name\":\"weather\"}}";
    Answer answer = server.post(PATH, tools(named));
    assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    assertThat(answer.textAt("choices.0.finish_reason")).isEqualTo("tool_calls");
    assertThat(answer.at("choices.0.message.content")).isEqualTo(JsonValue.Null.NULL);
    assertThat(answer.textAt("choices.0.message.tool_calls.0.id")).startsWith("call_");
    assertThat(answer.textAt("choices.0.message.tool_calls.0.function.name")).isEqualTo("weather");
    weather(answer.textAt("choices.0.message.tool_calls.0.function.arguments"));
  }

  private static void weather(String arguments) {
    JsonValue.Members read = (JsonValue.Members) JsonReader.read(arguments);
    assertThat(read.values()).containsOnlyKeys("city", "days");
    assertThat(read.text("city").orElseThrow()).isIn("Paris", "Rome");
    assertThat(((JsonValue.Number) read.get("days").orElseThrow()).nearestDouble())
        .isBetween(1.0, 5.0);
  }

  @Test
  void a_required_call_is_one_of_the_tools() throws Exception {
    String only = ask(",\"max_tokens\":200,\"tools\":[%s],\"tool_choice\":\"required\"");
    Answer answer = server.post(PATH, only.formatted(WEATHER));
    weather(answer.textAt("choices.0.message.tool_calls.0.function.arguments"));
  }

  @Test
  void a_stream_brings_the_call_too() throws Exception {
    String named = "{\"type\":\"function\",\"function\":{\"name\":\"weather\"}},\"stream\":true";
    List<String> events = server.events(PATH, tools(named));
    List<JsonValue> deltas =
        events.subList(0, events.size() - 1).stream()
            .map(JsonReader::read)
            .map(e -> TestServer.at(e, "choices.0.delta"))
            .toList();
    List<JsonValue> calls =
        deltas.stream()
            .filter(d -> ((JsonValue.Members) d).get("tool_calls").isPresent())
            .map(d -> TestServer.at(d, "tool_calls.0"))
            .toList();
    assertThat(TestServer.at(calls.getFirst(), "function.name")).isEqualTo(JsonValue.of("weather"));
    weather(
        calls.stream()
            .map(c -> ((JsonValue.Text) TestServer.at(c, "function.arguments")).value())
            .collect(Collectors.joining()));
    assertThat(events.get(events.size() - 2)).contains("\"finish_reason\":\"tool_calls\"");
  }

  @Test
  void an_answer_without_a_call_stays_text() throws Exception {
    Answer answer = server.post(PATH, tools("\"auto\"").replace("200", "20"));
    assertThat(answer.textAt("choices.0.message.content")).isNotEmpty();
    assertThat(answer.textAt("choices.0.finish_reason")).isEqualTo("length");
    assertThat(server.post(PATH, tools("\"none\"").replace("200", "20")).status()).isEqualTo(200);
  }

  @Test
  void calls_and_answers_of_tools_are_messages() throws Exception {
    String conversation =
        """
        {"max_tokens":5,"messages":[{"role":"user","content":"Weather?"},
         {"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function",
           "function":{"name":"weather","arguments":"{\\"city\\":\\"Rome\\"}"}}]},
         {"role":"tool","tool_call_id":"1","content":"Sunny."}]}
        """;
    assertThat(server.post(PATH, conversation).status()).isEqualTo(200);
    Answer broken = server.post(PATH, conversation.replace("{\\\"city\\\":", "{"));
    assertThat(broken.textAt("error.param"))
        .isEqualTo("messages[1].tool_calls[0].function.arguments");
  }

  @Test
  void reasoning_is_kept_apart() throws Exception {
    String grammar = ",\"grammar\":\"root ::= \\\"<think>A dog is better.</think>The dog.\\\"\"";
    Answer answer = server.post(PATH, ask(grammar));
    assertThat(answer.textAt("choices.0.message.reasoning_content")).isEqualTo("A dog is better.");
    assertThat(answer.textAt("choices.0.message.content")).isEqualTo("The dog.");
    List<String> events = server.events(PATH, ask(grammar + ",\"stream\":true"));
    String reasoning =
        events.subList(0, events.size() - 1).stream()
            .map(JsonReader::read)
            .map(e -> (JsonValue.Members) TestServer.at(e, "choices.0.delta"))
            .map(d -> d.text("reasoning_content").orElse(""))
            .collect(Collectors.joining());
    assertThat(reasoning).isEqualTo("A dog is better.");
  }

  @Test
  void wrong_tools_are_named() throws Exception {
    refused(ask(",\"tools\":[{\"type\":\"x\"}]"), "tools[0].type");
    refused(ask(",\"tools\":[%s,%s]".formatted(CLOCK, CLOCK)), "tools[1].function.name");
    refused(
        ask(",\"tools\":[%s]".formatted(CLOCK.replace("clock", "a b"))), "tools[0].function.name");
    refused(ask(",\"tool_choice\":\"required\""), "tool_choice");
    refused(tools("\"maybe\""), "tool_choice");
    refused(
        tools("{\"type\":\"function\",\"function\":{\"name\":\"none\"}}"),
        "tool_choice.function.name");
    refused(
        ask(",\"tools\":[%s],\"response_format\":{\"type\":\"json_object\"}".formatted(CLOCK)),
        "response_format");
    String schema =
        "{\"type\":\"function\",\"function\":{\"name\":\"a\",\"parameters\":{\"type\":7}}}";
    refused(ask(",\"tool_choice\":\"required\",\"tools\":[%s]".formatted(schema)), "tools");
  }

  private static void refused(String body, String field) throws Exception {
    Answer answer = server.post(PATH, body);
    assertThat(answer.status()).as(answer.text()).isEqualTo(400);
    assertThat(answer.textAt("error.param")).isEqualTo(field);
  }
}
