package io.gatun.tests.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.EmbeddingModel;
import io.gatun.Gatun;
import io.gatun.engine.embed.EmbedderOptions;
import io.gatun.model.LoadOptions;
import io.gatun.model.Pooling;
import io.gatun.model.json.JsonValue;
import io.gatun.server.ServerOptions;
import io.gatun.server.models.ModelKind;
import io.gatun.server.models.ModelSource;
import io.gatun.tests.kit.SharedFiles;
import io.gatun.tests.server.TestServer.Answer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Embeddings, and several kinds of models in one server. */
@Timeout(60)
class VectorsTest {
  private static final String PATH = "/v1/embeddings";
  private static TestServer server;

  private static EmbeddingModel load() {
    return Gatun.loadEmbedding(
        SharedFiles.stories(),
        LoadOptions.defaults(),
        EmbedderOptions.defaults().withThreads(1).withPooling(Pooling.MEAN));
  }

  @BeforeAll
  static void start() throws Exception {
    Path _ = SharedFiles.stories();
    server =
        TestServer.start(
            ServerOptions.defaults(),
            folder ->
                List.of(
                    TestServer.stories("stories", folder),
                    new ModelSource("vectors", ModelKind.EMBEDDING, 1 << 20, 0, () -> load())));
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  @Test
  void each_text_has_the_vector_that_the_model_makes() throws Exception {
    Answer answer =
        server.post(PATH, "{\"input\":[\"The dog.\",\"A cat sat.\"],\"model\":\"vectors\"}");
    assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    try (EmbeddingModel model = load()) {
      float[] expected = model.embed("A cat sat.");
      List<JsonValue> got = ((JsonValue.Items) answer.at("data.1.embedding")).values();
      assertThat(got).hasSize(expected.length);
      for (int i = 0; i < expected.length; i++) {
        assertThat(Float.parseFloat(((JsonValue.Number) got.get(i)).text()))
            .isCloseTo(expected[i], org.assertj.core.api.Assertions.within(1e-5f));
      }
    }
    assertThat(answer.longAt("usage.prompt_tokens")).isGreaterThan(4);
  }

  @Test
  void packed_vectors_are_the_same() throws Exception {
    Answer plain = server.post(PATH, "{\"input\":\"The dog.\"}");
    Answer packed = server.post(PATH, "{\"input\":\"The dog.\",\"encoding_format\":\"base64\"}");
    byte[] bytes = Base64.getDecoder().decode(packed.textAt("data.0.embedding"));
    ByteBuffer numbers = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    List<JsonValue> expected = ((JsonValue.Items) plain.at("data.0.embedding")).values();
    for (JsonValue number : expected) {
      assertThat(numbers.getFloat())
          .isEqualTo(Float.parseFloat(((JsonValue.Number) number).text()));
    }
    assertThat(numbers.hasRemaining()).isFalse();
  }

  @Test
  void what_cannot_be_embedded_is_refused() throws Exception {
    refused("{}", "input");
    refused("{\"input\":[\"a\",7]}", "input[1]");
    refused("{\"input\":\"a\",\"encoding_format\":\"hex\"}", "encoding_format");
    refused("{\"input\":\"a\",\"dimensions\":3}", "dimensions");
    refused("{\"input\":[99999]}", "input");
    refused("{\"input\":\"%s\"}".formatted("dog ".repeat(5000)), "input");
    refused("{\"input\":\"a\",\"model\":\"stories\"}", "model");
    assertThat(server.post("/v1/rerank", "{\"query\":\"a\",\"documents\":[\"b\"]}").status())
        .isEqualTo(404);
    assertThat(server.post("/v1/completions", "{\"prompt\":\"a\",\"model\":\"vectors\"}").status())
        .isEqualTo(400);
  }

  private static void refused(String body, String field) throws Exception {
    Answer answer = server.post(PATH, body);
    assertThat(answer.status()).as(answer.text()).isEqualTo(400);
    assertThat(answer.textAt("error.param")).isEqualTo(field);
  }
}
