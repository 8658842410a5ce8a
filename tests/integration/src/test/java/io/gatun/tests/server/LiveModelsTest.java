package io.gatun.tests.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.model.adapter.AdapterFile;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.server.ServerOptions;
import io.gatun.server.http.ApiException;
import io.gatun.server.models.ModelKind;
import io.gatun.server.models.ModelSource;
import io.gatun.server.models.ModelUse;
import io.gatun.server.models.ServedModels;
import io.gatun.tensor.DType;
import io.gatun.tests.server.TestServer.Answer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Models and adapters that come and go while a server runs. */
@Timeout(60)
class LiveModelsTest {
  @TempDir Path folder;

  private final List<String> events = new ArrayList<>();

  private ModelSource source(String name, long bytes) {
    return new ModelSource(
        name,
        ModelKind.TEXT,
        bytes,
        0,
        () -> {
          events.add("+" + name);
          return () -> events.add("-" + name);
        });
  }

  @Test
  void models_give_way_to_others_when_memory_is_short() throws Exception {
    List<ModelSource> sources = List.of(source("a", 4), source("b", 4), source("c", 6));
    try (ServedModels models = new ServedModels(sources, 10)) {
      models.use(Optional.of("a"), ModelKind.TEXT).close();
      models.use(Optional.of("b"), ModelKind.TEXT).close();
      models.use(Optional.of("a"), ModelKind.TEXT).close();
      assertThat(events).containsExactly("+a", "+b");
      models.use(Optional.of("c"), ModelKind.TEXT).close();
      assertThat(events).containsExactly("+a", "+b", "-b", "+c");
      try (ModelUse _ = models.use(Optional.of("c"), ModelKind.TEXT)) {
        assertThatThrownBy(
                () -> {
                  try (ModelUse _ = models.use(Optional.of("a"), ModelKind.TEXT)) {
                    models.use(Optional.of("b"), ModelKind.TEXT).close();
                  }
                })
            .isInstanceOf(ApiException.class)
            .hasMessageContaining("memory is full");
      }
      models.use(Optional.of("b"), ModelKind.TEXT).close();
    }
    assertThat(events).containsExactly("+a", "+b", "-b", "+c", "-c", "+b", "-a", "-b");
    assertThatThrownBy(() -> new ServedModels(sources, 5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("model c takes");
  }

  @Test
  void a_model_that_does_not_load_is_tried_again() throws Exception {
    int[] tries = {0};
    ModelSource flaky =
        new ModelSource(
            "a",
            ModelKind.TEXT,
            1,
            0,
            () -> {
              if (tries[0]++ == 0) {
                throw new java.io.IOException("not yet");
              }
              return () -> {};
            });
    try (ServedModels models = new ServedModels(List.of(flaky), 10)) {
      assertThatThrownBy(() -> models.use(Optional.empty(), ModelKind.TEXT))
          .isInstanceOf(java.io.IOException.class);
      models.use(Optional.empty(), ModelKind.TEXT).close();
      assertThat(models.list().getFirst().loaded()).isTrue();
    }
  }

  @Test
  void adapters_are_loaded_from_their_folder_and_nowhere_else() throws Exception {
    Path adapters = Files.createDirectory(folder.resolve("adapters"));
    Path lora = lora(adapters.resolve("loud.gguf"));
    Files.copy(lora, folder.resolve("outside.gguf"));
    Files.createSymbolicLink(adapters.resolve("link.gguf"), folder.resolve("outside.gguf"));
    Files.writeString(adapters.resolve("broken.gguf"), "GGUFnothing");
    ServerOptions options = ServerOptions.defaults().withAdapterFolder(adapters);
    try (TestServer server = TestServer.start(options)) {
      String ask = "{\"prompt\":\"Once\",\"temperature\":0,\"max_tokens\":16%s}";
      String plain = server.post("/v1/completions", ask.formatted("")).textAt("choices.0.text");
      for (String file : List.of("../outside", "link", "/etc/passwd", "absent", "..", "", "a/b")) {
        Answer refused =
            server.post("/v1/adapters", "{\"name\":\"x\",\"file\":\"%s\"}".formatted(file));
        assertThat(refused.status()).as(file).isEqualTo(404);
        assertThat(refused.text()).doesNotContain(folder.toString());
      }
      Answer broken = server.post("/v1/adapters", "{\"name\":\"broken\"}");
      assertThat(broken.status()).isEqualTo(400);
      assertThat(broken.text()).doesNotContain(folder.toString());
      Answer added = server.post("/v1/adapters", "{\"name\":\"shout\",\"file\":\"loud\"}");
      assertThat(added.status()).as(added.text()).isEqualTo(200);
      assertThat(server.post("/v1/adapters", "{\"name\":\"shout\",\"file\":\"loud\"}").status())
          .isEqualTo(409);
      assertThat(server.get("/v1/adapters").text())
          .contains("{\"id\":\"shout\",\"object\":\"adapter\",\"model\":\"stories\"}")
          .contains("\"files\":[\"broken\",\"loud\"]");
      String changed =
          server
              .post("/v1/completions", ask.formatted(",\"adapter\":\"shout\""))
              .textAt("choices.0.text");
      assertThat(changed).isNotEqualTo(plain);
      String weak = ",\"adapter\":{\"name\":\"shout\",\"scale\":0}";
      assertThat(server.post("/v1/completions", ask.formatted(weak)).textAt("choices.0.text"))
          .isEqualTo(plain);
      assertThat(server.delete("/v1/adapters/shout").status()).isEqualTo(200);
      assertThat(server.delete("/v1/adapters/shout").status()).isEqualTo(404);
      assertThat(server.post("/v1/completions", ask.formatted(",\"adapter\":\"shout\"")).status())
          .isEqualTo(400);
    }
  }

  /** Random, and strong enough to change what is told. */
  private static Path lora(Path file) throws Exception {
    SplittableRandom random = new SplittableRandom(5);
    Map<String, LowRank> deltas = new HashMap<>();
    for (int layer = 0; layer < 5; layer++) {
      float[] a = new float[64 * 4];
      float[] b = new float[4 * 64];
      for (int i = 0; i < a.length; i++) {
        a[i] = (float) random.nextDouble(-0.5, 0.5);
        b[i] = (float) random.nextDouble(-0.5, 0.5);
      }
      deltas.put("blk.%d.attn_output".formatted(layer), new LowRank(64, 64, 4, 1, a, b, 1));
    }
    AdapterFile.write(new LoraAdapter("loud", "llama", deltas, Map.of()), DType.F32, file);
    return file;
  }

  @Test
  void a_server_without_a_folder_loads_no_adapters() throws Exception {
    try (TestServer server = TestServer.start()) {
      assertThat(server.post("/v1/adapters", "{\"name\":\"x\"}").status()).isEqualTo(403);
      assertThat(server.get("/v1/adapters").textAt("object")).isEqualTo("list");
    }
  }
}
