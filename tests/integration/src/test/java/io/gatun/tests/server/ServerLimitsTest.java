package io.gatun.tests.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.engine.Engine;
import io.gatun.server.ServerOptions;
import io.gatun.tests.server.TestServer.Answer;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ServerLimitsTest {
  private static final String PATH = "/v1/completions";

  /** So long that only a cancel ends it while a test runs. */
  private static String endless(String rest) {
    return "{\"prompt\":\"Once\",\"temperature\":0,\"grammar\":\"root ::= [a-z ]*\",\"max_tokens\":%d%s}"
        .formatted(TestServer.CONTEXT - 100, rest);
  }

  @Test
  void a_client_that_leaves_a_stream_stops_its_generation() throws Exception {
    try (TestServer server = TestServer.start()) {
      HttpResponse<InputStream> response =
          server
              .client()
              .send(
                  server
                      .request(PATH)
                      .POST(
                          HttpRequest.BodyPublishers.ofString(endless(",\"stream\":true,\"n\":2")))
                      .build(),
                  HttpResponse.BodyHandlers.ofInputStream());
      try (InputStream in = response.body()) {
        assertThat(new String(in.readNBytes(5), StandardCharsets.UTF_8)).isEqualTo("data:");
        assertThat(server.await(s -> s.running() == 2)).isNotNull();
      }
      Engine.Statistics after = server.await(s -> s.running() + s.waiting() == 0);
      assertThat(after.steps()).isLessThan(TestServer.CONTEXT / 2);
    }
  }

  @Test
  void a_client_that_leaves_before_the_answer_stops_its_generation() throws Exception {
    try (TestServer server = TestServer.start()) {
      String body = endless("");
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.server.port())) {
        String request =
            "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(PATH, body.length(), body);
        socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
        assertThat(server.await(s -> s.running() == 1)).isNotNull();
      }
      Engine.Statistics after = server.await(s -> s.running() + s.waiting() == 0);
      assertThat(after.steps()).isLessThan(TestServer.CONTEXT / 2);
    }
  }

  @Test
  void a_connection_can_be_used_again_after_it_was_watched() throws Exception {
    String body = "{\"prompt\":\"Once\",\"max_tokens\":3}";
    String request =
        "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
            .formatted(PATH, body.length(), body);
    try (TestServer server = TestServer.start();
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.server.port())) {
      // Two at once, so that the second is read ahead, and one more.
      socket.getOutputStream().write((request + request).getBytes(StandardCharsets.UTF_8));
      assertThat(answers(socket, 2)).isEqualTo(2);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
      assertThat(answers(socket, 1)).isEqualTo(1);
    }
  }

  /** How many answers came, after waiting for so many. */
  private static int answers(Socket socket, int count) throws Exception {
    StringBuilder text = new StringBuilder();
    byte[] buffer = new byte[4096];
    int found = 0;
    while (found < count) {
      int n = socket.getInputStream().read(buffer);
      if (n < 0) {
        break;
      }
      text.append(new String(buffer, 0, n, StandardCharsets.UTF_8));
      found = text.toString().split("cached_tokens", -1).length - 1;
    }
    return found;
  }

  @Test
  void a_client_that_does_not_read_its_answer_is_dropped() throws Exception {
    ServerOptions options =
        ServerOptions.defaults().withPatience(Duration.ofSeconds(1), Duration.ofSeconds(1));
    try (TestServer server = TestServer.start(options);
        Socket socket = new Socket()) {
      socket.setReceiveBufferSize(4096);
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.server.port()));
      String body = endless(",\"stream\":true,\"logprobs\":20");
      String request =
          "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
              .formatted(PATH, body.length(), body);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
      assertThat(server.await(s -> s.running() == 1)).isNotNull();
      Engine.Statistics after = server.await(s -> s.running() + s.waiting() == 0);
      assertThat(after.steps()).isLessThan(TestServer.CONTEXT / 2);
    }
  }

  /** It had the only place, and others get it when it is dropped. */
  @Test
  void a_client_that_never_ends_its_request_is_dropped() throws Exception {
    ServerOptions options =
        ServerOptions.defaults()
            .withLimits(1 << 20, 100, 1)
            .withPatience(Duration.ofSeconds(1), Duration.ofSeconds(1));
    try (TestServer server = TestServer.start(options);
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.server.port())) {
      String request =
          "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"prompt\":"
              .formatted(PATH);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
      assertThat(socket.getInputStream().readAllBytes()).isEmpty();
      assertThat(server.post(PATH, "{\"prompt\":\"Once\",\"max_tokens\":3}").status())
          .isEqualTo(200);
    }
  }

  @Test
  void more_requests_than_allowed_are_told_to_come_again() throws Exception {
    ServerOptions options = ServerOptions.defaults().withLimits(1 << 20, 100, 1);
    try (TestServer server = TestServer.start(options)) {
      CompletableFuture<HttpResponse<InputStream>> first =
          server
              .client()
              .sendAsync(
                  server
                      .request(PATH)
                      .POST(HttpRequest.BodyPublishers.ofString(endless(",\"stream\":true")))
                      .build(),
                  HttpResponse.BodyHandlers.ofInputStream());
      try (InputStream in = first.get(30, TimeUnit.SECONDS).body()) {
        assertThat(in.read()).isNotNegative();
        Answer second = server.post(PATH, "{\"prompt\":\"x\",\"max_tokens\":1}");
        assertThat(second.status()).isEqualTo(429);
        assertThat(second.headers().firstValue("Retry-After")).hasValue("1");
        assertThat(second.textAt("error.type")).isEqualTo("rate_limit_error");
        assertThat(server.get("/health").status()).isEqualTo(200);
      }
      assertThat(server.await(s -> s.running() == 0)).isNotNull();
    }
  }

  @Test
  void long_bodies_and_prompts_are_refused() throws Exception {
    ServerOptions options = ServerOptions.defaults().withLimits(2000, 20, 4);
    try (TestServer server = TestServer.start(options)) {
      Answer body = server.post(PATH, "{\"prompt\":\"%s\"}".formatted("x".repeat(3000)));
      assertThat(body.status()).isEqualTo(413);
      assertThat(body.textAt("error.type")).isEqualTo("invalid_request_error");
      Answer chunked =
          server.send(
              server
                  .request(PATH)
                  .POST(
                      HttpRequest.BodyPublishers.ofInputStream(
                          () -> new java.io.ByteArrayInputStream(new byte[100_000]))));
      assertThat(chunked.status()).isEqualTo(413);
      Answer prompt =
          server.post(PATH, "{\"prompt\":\"%s\",\"max_tokens\":1}".formatted("dog ".repeat(50)));
      assertThat(prompt.status()).isEqualTo(400);
      assertThat(prompt.textAt("error.code")).isEqualTo("context_length_exceeded");
      assertThat(server.post(PATH, "{\"prompt\":\"dog\",\"max_tokens\":1}").status())
          .isEqualTo(200);
    }
  }

  @Test
  void only_who_has_a_key_may_ask() throws Exception {
    ServerOptions options = ServerOptions.defaults().withApiKeys(List.of("first", "second"));
    try (TestServer server = TestServer.start(options)) {
      assertThat(server.get("/health").status()).isEqualTo(200);
      Answer none = server.get("/v1/models");
      assertThat(none.status()).isEqualTo(401);
      assertThat(none.textAt("error.code")).isEqualTo("invalid_api_key");
      assertThat(server.get("/v1/models", "Authorization", "Bearer third").status()).isEqualTo(401);
      assertThat(server.get("/v1/models", "Authorization", "first").status()).isEqualTo(401);
      assertThat(server.get("/v1/models", "Authorization", "Bearer second").status())
          .isEqualTo(200);
      assertThat(server.get("/v1/models", "x-api-key", "first").status()).isEqualTo(200);
    }
  }

  @Test
  void pages_of_others_may_ask_only_where_that_is_allowed() throws Exception {
    ServerOptions options =
        ServerOptions.defaults().withCorsOrigins(List.of("https://good.example"));
    try (TestServer server = TestServer.start(options)) {
      assertThat(server.get("/health", "Origin", "https://bad.example").status()).isEqualTo(403);
      assertThat(server.get("/health", "Origin", "null").status()).isEqualTo(403);
      Answer good = server.get("/health", "Origin", "https://good.example");
      assertThat(good.status()).isEqualTo(200);
      assertThat(good.headers().firstValue("Access-Control-Allow-Origin"))
          .hasValue("https://good.example");
      Answer own = server.get("/health", "Origin", "http://127.0.0.1:" + server.server.port());
      assertThat(own.status()).isEqualTo(200);
      assertThat(own.headers().firstValue("Access-Control-Allow-Origin")).isEmpty();
    }
  }

  @Test
  void a_name_that_suddenly_means_this_machine_is_refused() throws Exception {
    try (TestServer server = TestServer.start()) {
      for (String host : List.of("localhost:1", "127.0.0.1", "[::1]:80")) {
        assertThat(statusFor(server, host)).as(host).isEqualTo(200);
      }
      for (String host : List.of("evil.example", "localhost.evil.example", "127.0.0.1.evil")) {
        assertThat(statusFor(server, host)).as(host).isEqualTo(403);
      }
    }
  }

  /** Asked by hand, as Java's client does not let a program choose this header. */
  private static int statusFor(TestServer server, String host) throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.server.port())) {
      String request = "GET /health HTTP/1.1\r\nHost: %s\r\n\r\n".formatted(host);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
      String status = new String(socket.getInputStream().readNBytes(12), StandardCharsets.UTF_8);
      return Integer.parseInt(status.substring("HTTP/1.1 ".length()));
    }
  }

  @Test
  void broken_requests_get_a_proper_error() throws Exception {
    try (TestServer server = TestServer.start()) {
      for (String body : List.of("", "{", "[]", "7", "{\"a\":1}{", "\u0000", "{\"prompt\":1}")) {
        Answer answer = server.post(PATH, body);
        assertThat(answer.status()).as(body).isEqualTo(400);
        assertThat(answer.textAt("error.message")).isNotEmpty();
      }
      assertThat(server.post(PATH, "[".repeat(5000)).status()).isEqualTo(400);
      Answer bytes =
          server.send(
              server
                  .request(PATH)
                  .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[] {'"', -1, '"'})));
      assertThat(bytes.status()).isEqualTo(400);
      assertThat(server.get("/v1/completions").status()).isEqualTo(405);
      assertThat(server.get("/etc/passwd").status()).isEqualTo(404);
      assertThat(server.get("/v1/models/../../etc/passwd").status()).isEqualTo(404);
      assertThat(server.get("/v1/models/stories").status()).isEqualTo(200);
      assertThat(server.get("/v1/models/other").textAt("error.code")).isEqualTo("model_not_found");
      assertThat(server.post(PATH, "{\"prompt\":\"x\",\"model\":\"other\"}").status())
          .isEqualTo(404);
    }
  }

  @Test
  void a_server_that_closes_lets_running_answers_end() throws Exception {
    try (TestServer server = TestServer.start()) {
      CompletableFuture<HttpResponse<String>> running =
          server
              .client()
              .sendAsync(
                  server
                      .request(PATH)
                      .POST(
                          HttpRequest.BodyPublishers.ofString(
                              endless("").replaceAll("\"max_tokens\":\\d+", "\"max_tokens\":2000")))
                      .build(),
                  HttpResponse.BodyHandlers.ofString());
      assertThat(server.await(s -> s.running() == 1)).isNotNull();
      server.server.close();
      HttpResponse<String> answer = running.get(30, TimeUnit.SECONDS);
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.body()).contains("\"completion_tokens\":2000");
    }
  }

  @Test
  void a_server_that_may_not_wait_stops_what_runs() throws Exception {
    ServerOptions options =
        ServerOptions.defaults().withPatience(Duration.ofSeconds(5), Duration.ofMillis(1));
    try (TestServer server = TestServer.start(options)) {
      CompletableFuture<HttpResponse<String>> running =
          server
              .client()
              .sendAsync(
                  server
                      .request(PATH)
                      .POST(HttpRequest.BodyPublishers.ofString(endless("")))
                      .build(),
                  HttpResponse.BodyHandlers.ofString());
      assertThat(server.await(s -> s.running() == 1)).isNotNull();
      server.server.close();
      assertThat(server.await(s -> s.running() == 0)).isNotNull();
      assertThat(running.handle((r, e) -> e != null || r.statusCode() == 503).get()).isTrue();
    }
  }

  @Test
  void a_port_that_is_taken_is_told() throws Exception {
    try (TestServer server = TestServer.start()) {
      ServerOptions same = ServerOptions.defaults().withAddress("127.0.0.1", server.server.port());
      assertThatThrownBy(() -> io.gatun.server.Server.start(server.models, same))
          .isInstanceOf(UncheckedIOException.class)
          .hasMessageContaining("cannot listen");
    }
  }
}
