package io.gatun.tests.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.Gatun;
import io.gatun.Reranker;
import io.gatun.engine.EngineOptions;
import io.gatun.model.LoadOptions;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.model.gguf.TensorInfo;
import io.gatun.model.json.JsonValue;
import io.gatun.server.ServerOptions;
import io.gatun.server.models.ModelFiles;
import io.gatun.tensor.DType;
import io.gatun.tensor.Shape;
import io.gatun.tests.kit.SharedFiles;
import io.gatun.tests.server.TestServer.Answer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Documents in order, by a model that is recognised as one that ranks. */
@Timeout(60)
class RerankTest {
  private static final String PATH = "/v1/rerank";
  private static final List<String> DOCUMENTS =
      List.of("The dog ran.", "A cat sat on the mat.", "Once upon a time there was a king.");

  @TempDir Path folder;

  @Test
  void documents_come_in_the_order_of_the_models_scores() throws Exception {
    Path file = ranker();
    ServerOptions options = ServerOptions.defaults();
    try (TestServer server =
            TestServer.start(
                options,
                _ ->
                    List.of(
                        ModelFiles.source(
                            "ranker",
                            file,
                            LoadOptions.defaults(),
                            EngineOptions.defaults().withThreads(1),
                            Map.of())));
        Reranker model = Gatun.loadReranker(file)) {
      assertThat(server.get("/v1/models").textAt("data.0.kind")).isEqualTo("ranking");
      String body =
          "{\"query\":\"Who ran?\",\"documents\":[\"%s\",{\"text\":\"%s\"},\"%s\"]%s}"
              .formatted(DOCUMENTS.get(0), DOCUMENTS.get(1), DOCUMENTS.get(2), "%s");
      Answer answer = server.post(PATH, body.formatted(""));
      assertThat(answer.status()).as(answer.text()).isEqualTo(200);
      List<Reranker.Ranked> expected = model.rank("Who ran?", DOCUMENTS);
      for (int i = 0; i < 3; i++) {
        assertThat(answer.longAt("results.%d.index".formatted(i)))
            .isEqualTo(expected.get(i).index());
      }
      Answer best = server.post(PATH, body.formatted(",\"top_n\":1,\"return_documents\":true"));
      assertThat(((JsonValue.Items) best.at("results")).values()).hasSize(1);
      assertThat(best.textAt("results.0.document.text"))
          .isEqualTo(DOCUMENTS.get(expected.getFirst().index()));
      assertThat(server.post(PATH, "{\"query\":\"a\"}").textAt("error.param"))
          .isEqualTo("documents");
      assertThat(server.post(PATH, "{\"query\":\"a\",\"documents\":[7]}").textAt("error.param"))
          .isEqualTo("documents[0]");
    }
  }

  /** The story model with a random classifier. */
  private Path ranker() throws Exception {
    Path source = SharedFiles.stories();
    GgufFile file = GgufFile.open(source);
    GgufWriter out = new GgufWriter();
    file.metadata().values().forEach(out::put);
    var _ = out.put("llama.pooling_type", 4);
    for (TensorInfo tensor : file.tensors()) {
      ByteBuffer bytes = ByteBuffer.allocate((int) tensor.bytes());
      try (FileChannel from = FileChannel.open(source, StandardOpenOption.READ)) {
        while (bytes.hasRemaining()) {
          var _ = from.read(bytes, tensor.offset() + bytes.position());
        }
      }
      var _ = out.tensor(tensor.name(), tensor.type(), tensor.shape(), bytes.array());
    }
    ByteBuffer classifier = ByteBuffer.allocate(4 * 64).order(ByteOrder.LITTLE_ENDIAN);
    SplittableRandom random = new SplittableRandom(1);
    while (classifier.hasRemaining()) {
      var _ = classifier.putFloat((float) random.nextDouble(-1, 1));
    }
    var _ = out.tensor("cls.output.weight", DType.F32, Shape.of(64, 1), classifier.array());
    Path target = folder.resolve("ranker.gguf");
    out.write(target);
    return target;
  }
}
