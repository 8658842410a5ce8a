package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gatun.EmbeddingModel;
import io.gatun.Gatun;
import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.embed.Embedder;
import io.gatun.engine.embed.EmbedderOptions;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.model.Pooling;
import io.gatun.model.UnsupportedModelException;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.DType;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import io.gatun.tests.kit.SharedFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Vectors of texts as an application sees them. */
@Timeout(60)
class EmbeddingModelTest {
  @TempDir Path folder;

  private static EmbedderOptions two() {
    return EmbedderOptions.defaults().withThreads(2);
  }

  private Path encoder() {
    ModelShape shape =
        ModelShape.tiny("bert")
            .withHeads(8, 8, 32)
            .withTied()
            .with("attention.causal", false)
            .with("pooling_type", 1);
    return MadeModel.write(folder.resolve("bert.gguf"), shape, DType.F32, 1);
  }

  @Test
  void a_text_has_a_vector_of_length_one_that_is_like_that_of_a_similar_text() {
    try (EmbeddingModel model =
        Gatun.loadEmbedding(
            SharedFiles.stories(), LoadOptions.defaults(), two().withPooling(Pooling.MEAN))) {
      float[] vector = model.embed("The little dog played in the park.");
      assertThat(EmbeddingModel.similarity(vector, vector)).isCloseTo(1, within(1e-5));
      List<float[]> others =
          model.embed(
              List.of("The little cat played in the park.", "\"No!\" she said to her mom."));
      assertThat(EmbeddingModel.similarity(vector, others.getFirst()))
          .isGreaterThan(EmbeddingModel.similarity(vector, others.getLast()));
      assertThatThrownBy(() -> EmbeddingModel.similarity(vector, new float[3]))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void a_vector_does_not_depend_on_what_is_computed_beside_it() throws Exception {
    SplittableRandom random = new SplittableRandom(3);
    List<int[]> texts = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      texts.add(random.ints(1 + random.nextInt(90), 0, 320).toArray());
    }
    try (Model model = Model.load(encoder(), LoadOptions.defaults());
        Embedder large = Embedder.open(model, two());
        Embedder alone = Embedder.open(model, two().withBatchRows(1))) {
      List<float[]> together = large.embed(texts);
      List<float[]> apart = alone.embed(texts);
      for (int i = 0; i < texts.size(); i++) {
        assertThat(together.get(i)).containsExactly(apart.get(i), within(1e-3f));
      }
    }
  }

  @Test
  @SuppressWarnings("try") // closed early on purpose
  void what_does_not_fit_is_refused_or_cut() throws Exception {
    try (Model model = Model.load(encoder(), LoadOptions.defaults());
        Embedder strict = Embedder.open(model, two());
        Embedder cutting = Embedder.open(model, two().withTruncate(true))) {
      int[] tooLong = new int[strict.contextTokens() + 1];
      assertThatThrownBy(() -> strict.embed(List.of(tooLong)))
          .isInstanceOf(CapacityException.class)
          .hasMessageContaining("2049")
          .hasMessageContaining("2048");
      assertThat(cutting.embed(List.of(tooLong))).hasSize(1);
      assertThatThrownBy(() -> strict.embed(List.of(new int[] {320})))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("320");
      assertThatThrownBy(() -> strict.embed(List.of(new int[0])))
          .isInstanceOf(IllegalArgumentException.class);
      strict.close();
      assertThatThrownBy(() -> strict.embed(List.of(new int[] {1})))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
    }
  }

  @Test
  void a_model_does_what_it_is_made_for_or_says_what_else_it_is() throws Exception {
    assertThatThrownBy(() -> Gatun.loadEmbedding(SharedFiles.stories()))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("pooling");
    assertThatThrownBy(() -> Gatun.loadReranker(SharedFiles.stories()))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("classifier");
    try (Model model = Model.load(encoder(), LoadOptions.defaults())) {
      assertThatThrownBy(() -> Engine.open(model, EngineOptions.defaults()))
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("encoder");
    }
  }
}
