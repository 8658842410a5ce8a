package io.gatun.langchain4j;

import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.common.AbstractEmbeddingModelIT;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import io.gatun.Gatun;
import io.gatun.engine.embed.EmbedderOptions;
import io.gatun.model.LoadOptions;
import io.gatun.model.Pooling;
import io.gatun.tests.kit.SharedFiles;
import java.util.List;
import org.junit.jupiter.api.AfterAll;

/** LangChain4j's own tests of embedding models. */
class EmbeddingModelContractTest extends AbstractEmbeddingModelIT {
  private static final io.gatun.EmbeddingModel LOADED =
      Gatun.loadEmbedding(
          SharedFiles.stories(),
          LoadOptions.defaults(),
          EmbedderOptions.defaults().withThreads(1).withPooling(Pooling.MEAN));

  @Override
  protected List<EmbeddingModel> models() {
    return List.of(GatunEmbeddingModel.of(LOADED));
  }

  @Override
  protected EmbeddingModel modelWith(EmbeddingModelListener listener) {
    return GatunEmbeddingModel.of(LOADED, "stories", List.of(listener));
  }

  @Override
  protected boolean supportsInputTypeParameter() {
    return false;
  }

  @Override
  protected boolean supportsDimensionsParameter() {
    return false;
  }

  @Override
  protected boolean supportsImageInput() {
    return false;
  }

  @Override
  protected boolean supportsInterleavedInput() {
    return false;
  }

  @AfterAll
  static void close() {
    LOADED.close();
  }
}
