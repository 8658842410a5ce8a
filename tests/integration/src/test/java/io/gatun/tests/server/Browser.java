package io.gatun.tests.server;

import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonWriter;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A Chromium without a window, driven over its DevTools protocol. */
final class Browser implements AutoCloseable {
  private static final String LISTENING = "DevTools listening on ";

  private final Process process;
  private final Path profile;
  private final HttpClient client = HttpClient.newHttpClient();
  private final Map<Long, CompletableFuture<JsonValue>> answers = new ConcurrentHashMap<>();
  private final WebSocket socket;
  private long last;

  private Browser(Process process, Path profile) throws Exception {
    this.process = process;
    this.profile = profile;
    this.socket =
        client
            .newWebSocketBuilder()
            .buildAsync(page(port()), new Answers())
            .get(30, TimeUnit.SECONDS);
  }

  /** The program, if this machine has it. */
  static Optional<Path> program() {
    for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1)) {
      for (String name : List.of("chromium", "chromium-browser", "google-chrome")) {
        Path file = Path.of(folder, name);
        if (!folder.isEmpty() && Files.isExecutable(file)) {
          return Optional.of(file);
        }
      }
    }
    return Optional.empty();
  }

  static Browser open(Path program) throws Exception {
    Path profile = Files.createTempDirectory("gatun-browser");
    Process process =
        new ProcessBuilder(
                program.toString(),
                "--headless=new",
                "--no-sandbox", // it only ever sees the page under test
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile,
                "about:blank")
            .start();
    try {
      return new Browser(process, profile);
    } catch (Exception e) {
      process.destroyForcibly();
      throw e;
    }
  }

  private int port() throws IOException {
    BufferedReader errors =
        new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8));
    for (String line = errors.readLine(); line != null; line = errors.readLine()) {
      if (line.startsWith(LISTENING)) {
        var _ = Thread.ofVirtual().start(() -> errors.lines().forEach(_ -> {}));
        return URI.create(line.substring(LISTENING.length()).strip()).getPort();
      }
    }
    throw new IOException("the browser did not start");
  }

  private URI page(int port) throws IOException, InterruptedException {
    HttpRequest targets =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d/json".formatted(port))).build();
    String text = client.send(targets, HttpResponse.BodyHandlers.ofString()).body();
    for (JsonValue target : ((JsonValue.Items) JsonReader.read(text)).values()) {
      if (TestServer.at(target, "type").equals(JsonValue.of("page"))) {
        return URI.create(((JsonValue.Text) TestServer.at(target, "webSocketDebuggerUrl")).value());
      }
    }
    throw new IOException("the browser has no page");
  }

  /** Collects messages and hands answers to those who wait. */
  private final class Answers implements WebSocket.Listener {
    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean whole) {
      text.append(data);
      if (whole) {
        JsonValue.Members message = (JsonValue.Members) JsonReader.read(text.toString());
        text.setLength(0);
        message
            .get("id")
            .map(id -> answers.remove(Long.parseLong(((JsonValue.Number) id).text())))
            .ifPresent(waiting -> waiting.complete(message));
      }
      from.request(1);
      return CompletableFuture.completedStage(true);
    }
  }

  private JsonValue command(String method, Map<String, JsonValue> parameters) throws Exception {
    CompletableFuture<JsonValue> answer = new CompletableFuture<>();
    answers.put(++last, answer);
    JsonValue command =
        JsonValue.of(
            Map.of(
                "id", JsonValue.of(last),
                "method", JsonValue.of(method),
                "params", JsonValue.of(parameters)));
    var _ = socket.sendText(JsonWriter.write(command), true).get(30, TimeUnit.SECONDS);
    return answer.get(60, TimeUnit.SECONDS);
  }

  void go(URI address) throws Exception {
    var _ = command("Page.navigate", Map.of("url", JsonValue.of(address.toString())));
    until("document.readyState === 'complete' && location.href !== 'about:blank'");
  }

  /** The value of an expression, as text. */
  String value(String expression) throws Exception {
    JsonValue answer =
        command(
            "Runtime.evaluate",
            Map.of(
                "expression",
                    JsonValue.of("(async () => String(await (%s)))()".formatted(expression)),
                "awaitPromise", JsonValue.of(true),
                "returnByValue", JsonValue.of(true)));
    if (((JsonValue.Members) TestServer.at(answer, "result")).get("exceptionDetails").isPresent()) {
      throw new AssertionError(JsonWriter.write(answer));
    }
    return ((JsonValue.Text) TestServer.at(answer, "result.result.value")).value();
  }

  /** Waits, in the page, until something holds there. */
  void until(String condition) throws Exception {
    String told = JsonWriter.write(JsonValue.of("never: " + condition));
    String promise =
        "new Promise((yes, no) => { const end = Date.now() + 30000; const look = () => ("
            + condition
            + ") ? yes('yes') : Date.now() > end ? no(new Error("
            + told
            + ")) : setTimeout(look, 20); look(); })";
    var _ = value(promise);
  }

  /** Presses a key where the focus is. */
  void press(String key, int code) throws Exception {
    for (String type : List.of("keyDown", "keyUp")) {
      var _ =
          command(
              "Input.dispatchKeyEvent",
              Map.of(
                  "type", JsonValue.of(type),
                  "key", JsonValue.of(key),
                  "code", JsonValue.of(key),
                  "windowsVirtualKeyCode", JsonValue.of(code)));
    }
  }

  /** Types a text where the focus is. */
  void type(String text) throws Exception {
    var _ = command("Input.insertText", Map.of("text", JsonValue.of(text)));
  }

  @Override
  public void close() {
    client.shutdownNow();
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    var _ = process.destroyForcibly().onExit().join();
    try (Stream<Path> files = Files.walk(profile)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        var _ = Files.deleteIfExists(file);
      }
    } catch (IOException | java.io.UncheckedIOException busy) {
      // A helper of the browser's may still be at it; what is left is temporary anyway.
    }
  }
}
