package io.gatun.tests.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.gatun.engine.embed.Embedder;
import io.gatun.engine.embed.EmbedderOptions;
import io.gatun.model.LoadOptions;
import io.gatun.model.LoadOptions.Repacking;
import io.gatun.model.Model;
import io.gatun.tensor.DType;
import io.gatun.tensor.Kernels;
import io.gatun.tensor.llama.LlamaEmbedder;
import io.gatun.tensor.llama.LlamaModel;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Vectors and scores of every encoder, and of decoders that embed, against libllama. */
class EmbeddingOracleTest {
  private static final int MEAN = 1;
  private static final int CLS = 2;
  private static final int LAST = 3;
  private static final int RANK = 4;

  @TempDir Path folder;

  private static ModelShape encoder(String architecture, int pooling) {
    return ModelShape.tiny(architecture)
        .withTied()
        .withHeads(8, 8, 32)
        .with("attention.causal", false)
        .with("pooling_type", pooling);
  }

  static Stream<Arguments> models() {
    return Stream.of(
        arguments("bert, mean", encoder("bert", MEAN)),
        arguments("bert, first row", encoder("bert", CLS)),
        arguments("bert, ranks", encoder("bert", RANK).with("made.labels", 1)),
        arguments("nomic-bert", encoder("nomic-bert", MEAN)),
        arguments(
            "nomic-bert-moe",
            encoder("nomic-bert-moe", MEAN).withExperts(4, 2).with("moe_every_n_layers", 2)),
        arguments("jina-bert-v2", encoder("jina-bert-v2", MEAN)),
        arguments(
            "modern-bert",
            encoder("modern-bert", CLS)
                .withLayers(5)
                .with("rope.freq_base", 160000f)
                .with("rope.freq_base_swa", 10000f)
                .with("attention.sliding_window", 16)),
        arguments(
            "modern-bert, ranks",
            encoder("modern-bert", RANK)
                .with("rope.freq_base_swa", 10000f)
                .with("attention.sliding_window", 16)
                .with("made.labels", 1)),
        arguments(
            "gemma-embedding",
            ModelShape.tiny("gemma-embedding")
                .withLayers(7)
                .withHeads(4, 1, 64)
                .withTied()
                .with("attention.causal", false)
                .with("pooling_type", MEAN)
                .with("rope.freq_base", 1000000f)
                .with("attention.sliding_window", 16)),
        arguments(
            "qwen3, last row", ModelShape.tiny("qwen3").withTied().with("pooling_type", LAST)),
        arguments(
            "qwen3, ranks",
            ModelShape.tiny("qwen3").withTied().with("pooling_type", RANK).with("made.labels", 2)),
        arguments("llama, mean", ModelShape.tiny("llama").with("pooling_type", MEAN)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("models")
  void vectors_are_those_of_libllama(String name, ModelShape shape) throws Exception {
    Path file = MadeModel.write(folder.resolve("model.gguf"), shape, DType.F32, 1);
    List<int[]> texts =
        List.of(text(shape, 40, 1), text(shape, 1, 2), text(shape, 77, 3), text(shape, 12, 4));
    for (Kernels kernels : List.of(Kernels.ggml(), Kernels.own())) {
      List<float[]> ours = ours(file, kernels, texts);
      float[][] theirs = theirs(file, texts, ours.getFirst().length);
      for (int i = 0; i < theirs.length; i++) {
        assertThat(Distance.of(ours.get(i), theirs[i])).as("text %d", i).isLessThan(4e-3);
      }
    }
  }

  private static List<float[]> ours(Path file, Kernels kernels, List<int[]> texts)
      throws Exception {
    LoadOptions loading =
        LoadOptions.defaults().withRepack(Repacking.NONE).withGpuLayers(0).withKernels(kernels);
    EmbedderOptions options = EmbedderOptions.defaults().withThreads(2).withKernels(kernels);
    try (Model model = Model.load(file, loading);
        Embedder embedder = Embedder.open(model, options)) {
      return embedder.embed(texts);
    }
  }

  private static float[][] theirs(Path file, List<int[]> texts, int width) {
    try (LlamaModel llama = LlamaModel.load(file, false, 0);
        LlamaEmbedder oracle = new LlamaEmbedder(llama, 512, texts.size(), 2, -1)) {
      return oracle.embed(texts, width);
    }
  }

  private static int[] text(ModelShape shape, int count, long seed) {
    return new SplittableRandom(seed).ints(count, 0, shape.vocabulary()).toArray();
  }
}
