package io.gatun.tests.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonWriter;
import io.gatun.tests.server.TestServer.Answer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests with anything anywhere: each is answered or refused, and none makes the server fail. */
@Timeout(120)
class HostileRequestsTest {
  private static final int EACH = 40;

  private static final List<JsonValue> ODD =
      List.of(
          JsonValue.Null.NULL,
          JsonValue.of(true),
          JsonValue.of(0),
          JsonValue.of(-1),
          JsonValue.of(Long.MAX_VALUE),
          new JsonValue.Number("1e999"),
          new JsonValue.Number("0.5"),
          new JsonValue.Number("123456789012345678901234567890"),
          JsonValue.of(""),
          JsonValue.of("x".repeat(3000)),
          JsonValue.of("\ud800\u0000 <|im_end|> {{ 7 }}"),
          JsonValue.Items.EMPTY,
          JsonValue.Members.EMPTY,
          JsonValue.of(List.of(JsonValue.Null.NULL, JsonValue.of(7))),
          JsonValue.of(Map.of("type", JsonValue.of("text"), "$ref", JsonValue.of("#"))),
          JsonReader.read("[".repeat(60) + "]".repeat(60)));

  private static final Map<String, String> REQUESTS =
      new TreeMap<>(
          Map.of(
              "/v1/chat/completions",
              """
              {"model":"stories","messages":[{"role":"system","content":"a"},{"role":"user","content":
              [{"type":"text","text":"b"}]},{"role":"assistant","content":"","tool_calls":[{"id":"1",
              "type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool",
              "tool_call_id":"1","content":"c"}],"temperature":1,"top_p":0.9,"n":2,"seed":3,"stop":["z"],
              "logprobs":true,"top_logprobs":2,"logit_bias":{"5":1},"stream":false,
              "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],
              "tool_choice":"auto","chat_template_kwargs":{"a":1}}
              """,
              "/v1/completions",
              """
              {"prompt":["a",[1,2]],"temperature":1,"top_k":5,"min_p":0.1,"typical_p":0.9,"n":1,
              "presence_penalty":1,"frequency_penalty":1,"repeat_penalty":1.1,"logprobs":1,"echo":false,
              "stream":true,"stream_options":{"include_usage":true},"adapter":null}
              """,
              "/v1/responses",
              """
              {"input":[{"role":"user","content":[{"type":"input_text","text":"a"}]},{"type":
              "function_call","call_id":"1","name":"f","arguments":"{}"},{"type":"function_call_output",
              "call_id":"1","output":"b"}],"instructions":"c","text":{"format":{"type":"text"}},
              "reasoning":{"effort":"low"},"tools":[{"type":"function","name":"f"}]}
              """,
              "/v1/messages",
              """
              {"system":"a","messages":[{"role":"user","content":"b"},{"role":"assistant","content":
              [{"type":"tool_use","id":"1","name":"f","input":{}}]},{"role":"user","content":[{"type":
              "tool_result","tool_use_id":"1","content":"c"}]}],"stop_sequences":["z"],"top_k":4,
              "tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"auto"}}
              """,
              "/api/chat",
              """
              {"model":"stories","messages":[{"role":"user","content":"a"}],"format":"json","think":true,
              "options":{"temperature":1,"stop":["z"],"seed":1},"stream":true}
              """,
              "/api/generate",
              """
              {"model":"stories","prompt":"a","system":"b","raw":false,"options":{"top_p":0.5}}
              """,
              "/tokenize",
              "{\"content\":\"a b\",\"add_special\":true,\"with_pieces\":true}",
              "/detokenize",
              "{\"tokens\":[1,2,3]}",
              "/v1/adapters",
              "{\"name\":\"a\",\"file\":\"b\"}"));

  private final SplittableRandom random = new SplittableRandom(11);

  @Test
  void no_request_makes_the_server_fail() throws Exception {
    try (TestServer server = TestServer.start()) {
      for (Map.Entry<String, String> request : REQUESTS.entrySet()) {
        JsonValue body = JsonReader.read(request.getValue());
        for (int i = 0; i < EACH; i++) {
          String changed = JsonWriter.write(bounded(changed(body), request.getKey()));
          Answer answer = server.post(request.getKey(), changed);
          assertThat(answer.status()).as(request.getKey() + " " + changed).isNotEqualTo(500);
          if (answer.status() != 200) {
            assertThat(answer.json().get("error")).as(answer.text()).isPresent();
          }
        }
      }
      assertThat(server.await(s -> s.running() + s.waiting() == 0)).isNotNull();
    }
  }

  /** With something odd at one place, or a member more. */
  private JsonValue changed(JsonValue value) {
    return switch (value) {
      case JsonValue.Members(Map<String, JsonValue> values) when !values.isEmpty() && more() -> {
        Map<String, JsonValue> changed = new LinkedHashMap<>(values);
        List<String> names = new ArrayList<>(values.keySet());
        String name = names.get(random.nextInt(names.size()));
        changed.put(name, changed(values.get(name)));
        yield JsonValue.of(changed);
      }
      case JsonValue.Items(List<JsonValue> values) when !values.isEmpty() && more() -> {
        List<JsonValue> changed = new ArrayList<>(values);
        int at = random.nextInt(values.size());
        changed.set(at, changed(values.get(at)));
        yield JsonValue.of(changed);
      }
      default -> ODD.get(random.nextInt(ODD.size()));
    };
  }

  private boolean more() {
    return random.nextInt(12) > 0;
  }

  /** So that no answer takes long. */
  private static JsonValue bounded(JsonValue body, String path) {
    if (!(body instanceof JsonValue.Members members) || members.values().size() < 2) {
      return body;
    }
    if (path.startsWith("/api/")) {
      JsonValue options = members.get("options").orElse(JsonValue.Null.NULL);
      JsonValue.Members inner =
          options instanceof JsonValue.Members given ? given : JsonValue.Members.EMPTY;
      return options instanceof JsonValue.Members || options == JsonValue.Null.NULL
          ? members.with("options", inner.with("num_predict", JsonValue.of(2)))
          : members;
    }
    String name = path.equals("/v1/responses") ? "max_output_tokens" : "max_tokens";
    return path.startsWith("/v1/") && !path.equals("/v1/adapters")
        ? members.with(name, JsonValue.of(2))
        : members;
  }
}
