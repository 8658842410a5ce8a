package io.gatun.tests.server;

import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.PrefixCacheOptions;
import io.gatun.model.LoadOptions;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.server.Server;
import io.gatun.server.ServerOptions;
import io.gatun.server.models.ModelFiles;
import io.gatun.server.models.ModelKind;
import io.gatun.server.models.ModelSource;
import io.gatun.server.models.ModelUse;
import io.gatun.server.models.ServedModels;
import io.gatun.tests.kit.ModelCopy;
import io.gatun.tests.kit.SharedFiles;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** A server with the small story model, and what asks it. */
final class TestServer implements AutoCloseable {
  /** Messages one after the other, so that a story model has something to go on with. */
  static final String TEMPLATE =
      "{% for m in messages %}{{ m.content }}\n{% endfor %}"
          + "{% if add_generation_prompt %}Once upon a time{% endif %}";

  static final int CONTEXT = 1 << 16;

  private final Path folder;
  private final HttpClient client = HttpClient.newHttpClient();
  final ServedModels models;
  final Server server;

  private TestServer(Path folder, List<ModelSource> sources, ServerOptions options) {
    this.folder = folder;
    this.models = new ServedModels(sources, Long.MAX_VALUE);
    this.server = Server.start(models, options.withAddress(options.host(), 0));
  }

  static TestServer start() throws IOException {
    return start(ServerOptions.defaults());
  }

  static TestServer start(ServerOptions options) throws IOException {
    return start(options, folder -> List.of(stories("stories", folder)));
  }

  /** The models of a test, which may lie in a folder that goes with the server. */
  interface Sources {
    List<ModelSource> in(Path folder) throws IOException;
  }

  static TestServer start(ServerOptions options, Sources sources) throws IOException {
    Path folder = Files.createTempDirectory("gatun-server");
    return new TestServer(folder, sources.in(folder), options);
  }

  /** The story model with a chat template and a long context. */
  static ModelSource stories(String name, Path folder) throws IOException {
    Path file = folder.resolve(name + ".gguf");
    if (!Files.exists(file)) {
      var _ = ModelCopy.with(SharedFiles.stories(), file, "tokenizer.chat_template", TEMPLATE);
    }
    return ModelFiles.source(
        name,
        file,
        LoadOptions.defaults(),
        EngineOptions.defaults()
            .withThreads(1)
            .withContextTokens(CONTEXT)
            .withPrefixCache(PrefixCacheOptions.all()),
        Map.of());
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:%d%s".formatted(server.port(), path));
  }

  /** An answer: its status and body. */
  record Answer(int status, String text, java.net.http.HttpHeaders headers) {
    JsonValue.Members json() {
      return (JsonValue.Members) JsonReader.read(text);
    }

    /** The value at a path such as {@code choices.0.message.content}. */
    JsonValue at(String path) {
      return TestServer.at(json(), path);
    }

    String textAt(String path) {
      return ((JsonValue.Text) at(path)).value();
    }

    long longAt(String path) {
      return Long.parseLong(((JsonValue.Number) at(path)).text());
    }
  }

  static JsonValue at(JsonValue from, String path) {
    JsonValue value = from;
    for (String step : path.split("\\.", -1)) {
      value =
          switch (value) {
            case JsonValue.Members members ->
                members.get(step).orElseThrow(() -> new AssertionError(path + " in " + from));
            case JsonValue.Items items -> items.values().get(Integer.parseInt(step));
            default -> throw new AssertionError(path + " in " + from);
          };
    }
    return value;
  }

  Answer get(String path, String... headers) throws IOException, InterruptedException {
    return send(request(path, headers).GET());
  }

  Answer post(String path, String body, String... headers)
      throws IOException, InterruptedException {
    return send(request(path, headers).POST(HttpRequest.BodyPublishers.ofString(body)));
  }

  Answer delete(String path) throws IOException, InterruptedException {
    return send(request(path).DELETE());
  }

  HttpRequest.Builder request(String path, String... headers) {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri(path)).timeout(Duration.ofSeconds(60));
    return headers.length == 0 ? request : request.headers(headers);
  }

  Answer send(HttpRequest.Builder request) throws IOException, InterruptedException {
    HttpResponse<String> response =
        client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    return new Answer(response.statusCode(), response.body(), response.headers());
  }

  /** The data of all events of a streamed answer, the last one included. */
  List<String> events(String path, String body) throws IOException, InterruptedException {
    Answer answer = post(path, body);
    if (answer.status() != 200) {
      throw new AssertionError(answer.text());
    }
    List<String> events = new ArrayList<>();
    for (String block : answer.text().strip().split("\n\n", -1)) {
      String data = block.lines().filter(l -> l.startsWith("data: ")).findFirst().orElseThrow();
      events.add(data.substring("data: ".length()));
    }
    return events;
  }

  HttpClient client() {
    return client;
  }

  Engine.Statistics statistics() throws Exception {
    try (ModelUse use = models.use(Optional.empty(), ModelKind.TEXT)) {
      return use.text().engine().statistics();
    }
  }

  /** Waits until the engine is as wanted. */
  Engine.Statistics await(Predicate<Engine.Statistics> wanted) throws Exception {
    long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (System.nanoTime() < end) {
      Engine.Statistics now = statistics();
      if (wanted.test(now)) {
        return now;
      }
      Thread.onSpinWait();
    }
    throw new AssertionError("the engine never came to it: " + statistics());
  }

  @Override
  public void close() {
    server.close();
    models.close();
    client.shutdownNow();
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
      Files.delete(folder);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
