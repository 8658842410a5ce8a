package io.gatun.tests.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.tests.kit.SharedFiles;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code gatun serve} as a process of its own. */
@Timeout(120)
class ServeCommandTest {
  @TempDir Path folder;

  private static Process serve(String... options) throws Exception {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-cp"));
    line.add(
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))
            .replace("\n", File.pathSeparator));
    line.add("io.gatun.cli.Main");
    line.addAll(List.of("serve", "--port", "0"));
    line.addAll(List.of(options));
    return new ProcessBuilder(line).redirectErrorStream(true).start();
  }

  /** The address that it tells on its first line; other lines are noise of libraries. */
  private static URI address(BufferedReader out) throws Exception {
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      if (line.startsWith("listening at ")) {
        return URI.create(line.substring("listening at ".length()));
      }
    }
    throw new AssertionError("it ended");
  }

  @Test
  void it_serves_until_it_is_told_to_end_and_lets_answers_end_first() throws Exception {
    Path keys = Files.writeString(folder.resolve("keys"), "# mine\n\nsecret\n");
    String model = "tales=" + SharedFiles.stories();
    Process process =
        serve(model, "--api-key-file", keys.toString(), "--context", "4096", "-t", "1");
    try (HttpClient client = HttpClient.newHttpClient();
        BufferedReader out =
            new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      URI address = address(out);
      HttpResponse<String> none =
          client.send(
              HttpRequest.newBuilder(address.resolve("/v1/models")).build(),
              HttpResponse.BodyHandlers.ofString());
      assertThat(none.statusCode()).isEqualTo(401);
      String body =
          "{\"model\":\"tales\",\"prompt\":\"Once\",\"grammar\":\"root ::= [a-z"
              + " ]*\",\"max_tokens\":1500,\"stream\":true}";
      CompletableFuture<HttpResponse<java.util.stream.Stream<String>>> answer =
          client.sendAsync(
              HttpRequest.newBuilder(address.resolve("/v1/completions"))
                  .header("Authorization", "Bearer secret")
                  .POST(HttpRequest.BodyPublishers.ofString(body))
                  .build(),
              HttpResponse.BodyHandlers.ofLines());
      // The first lines are there: it is being answered.
      var lines = answer.get(60, TimeUnit.SECONDS).body().iterator();
      assertThat(lines.next()).startsWith("data: ");
      process.destroy();
      String last = "";
      while (lines.hasNext()) {
        String line = lines.next();
        last = line.isEmpty() ? last : line;
      }
      assertThat(last).isEqualTo("data: [DONE]");
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void what_is_wrong_is_told_in_a_line() throws Exception {
    Process process = serve("nothing.gguf");
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isEqualTo(1);
    assertThat(out.lines().filter(l -> l.startsWith("gatun: "))).hasSize(1);
    assertThat(out).contains("nothing.gguf");
  }
}
