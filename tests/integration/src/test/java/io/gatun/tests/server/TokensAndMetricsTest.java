package io.gatun.tests.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.json.JsonWriter;
import io.gatun.tests.server.TestServer.Answer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TokensAndMetricsTest {
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

  @Test
  void tokens_become_text_again() throws Exception {
    Answer tokens = server.post("/tokenize", "{\"content\":\"Once upon a time\"}");
    assertThat(tokens.text()).isEqualTo("{\"tokens\":[403,407,261,378]}");
    Answer begun =
        server.post("/tokenize", "{\"content\":\"Once upon a time\",\"add_special\":true}");
    assertThat(begun.text()).isEqualTo("{\"tokens\":[1,403,407,261,378]}");
    Answer text =
        server.post(
            "/detokenize", "{\"tokens\":%s}".formatted(JsonWriter.write(tokens.at("tokens"))));
    assertThat(text.textAt("content").strip()).isEqualTo("Once upon a time");
    assertThat(server.post("/detokenize", "{\"tokens\":[-1]}").status()).isEqualTo(400);
    assertThat(server.post("/tokenize", "{\"content\":\"a\",\"with_pieces\":true}").text())
        .contains("\"piece\":");
  }

  @Test
  void messages_become_the_prompt_of_the_template() throws Exception {
    Answer prompt =
        server.post(
            "/apply-template", "{\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}");
    assertThat(prompt.textAt("prompt")).isEqualTo("Hello\nOnce upon a time");
  }

  @Test
  void what_is_done_is_counted() throws Exception {
    assertThat(server.post("/v1/completions", "{\"prompt\":\"A\",\"max_tokens\":7}").status())
        .isEqualTo(200);
    assertThat(server.post("/v1/completions", "{\"prompt\":7}").status()).isEqualTo(400);
    assertThat(server.get("/no/such/place").status()).isEqualTo(404);
    // A request is counted behind its answer.
    String metrics = server.get("/metrics").text();
    for (int i = 0; i < 100 && !metrics.contains("status=\"404\""); i++) {
      metrics = server.get("/metrics").text();
    }
    assertThat(metrics)
        .contains("gatun_requests_total{path=\"/v1/completions\",status=\"200\"} 1.0")
        .contains("gatun_requests_total{path=\"/v1/completions\",status=\"400\"} 1.0")
        .contains("gatun_requests_total{path=\"\",status=\"404\"} 1.0")
        .contains("gatun_completion_tokens_total{model=\"stories\"} 7.0")
        .contains("gatun_time_to_first_token_seconds_count{model=\"stories\"} 1")
        .contains("gatun_inter_token_latency_seconds_count{model=\"stories\"} 6")
        .contains("gatun_sequences_running{model=\"stories\"} 0.0")
        .contains("gatun_kv_cells_free{model=\"stories\"}");
  }
}
