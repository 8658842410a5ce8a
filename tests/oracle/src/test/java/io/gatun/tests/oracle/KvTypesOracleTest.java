package io.gatun.tests.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.LogitsObserver;
import io.gatun.model.KvTypes;
import io.gatun.model.LoadOptions;
import io.gatun.model.LoadOptions.Repacking;
import io.gatun.model.Model;
import io.gatun.model.UnsupportedModelException;
import io.gatun.tensor.DType;
import io.gatun.tensor.Kernels;
import io.gatun.tensor.llama.LlamaContext;
import io.gatun.tensor.llama.LlamaModel;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Caches of other types than F16: as near to F16's logits as libllama's of the same types. */
@Timeout(120)
class KvTypesOracleTest {
  private static final int ROWS = 90;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "llama, F32, F32",
    "llama, BF16, BF16",
    "llama, Q8_0, Q8_0",
    "qwen3, Q8_0, Q4_0",
    "llama, Q5_1, Q5_1",
    "qwen3, Q4_0, Q4_0",
    "gemma2, Q8_0, F16",
    "phi3, Q8_0, Q8_0",
    "gpt-oss, Q8_0, Q5_1",
    "deepseek2, Q8_0, Q8_0",
    "deepseek2, Q4_0, Q4_0"
  })
  void logits_are_as_near_to_those_of_f16_as_libllamas(
      String architecture, DType keys, DType values) throws Exception {
    ModelShape shape = shape(architecture);
    Path file = MadeModel.write(folder.resolve("model.gguf"), shape, DType.F32, 1);
    int[] tokens = new SplittableRandom(5).ints(ROWS, 0, shape.vocabulary()).toArray();
    KvTypes types = new KvTypes(keys, values, 0);
    float[] exact = ours(file, KvTypes.F16, Kernels.own(), tokens, 512);
    double theirs =
        Distance.of(theirs(file, keys, values, tokens), theirs(file, DType.F16, DType.F16, tokens));
    for (Kernels kernels : List.of(Kernels.own(), Kernels.ggml())) {
      double whole = Distance.of(ours(file, types, kernels, tokens, 512), exact);
      double chunks = Distance.of(ours(file, types, kernels, tokens, 7), exact);
      assertThat(whole).as("a whole prompt").isLessThan(1.5 * theirs + 0.004);
      assertThat(chunks).as("a prompt in chunks").isLessThan(1.5 * theirs + 0.004);
    }
    assertThat(Distance.of(ours(file, types.withOuterLayers(2), Kernels.own(), tokens, 512), exact))
        .as("all layers are outer ones")
        .isZero();
  }

  @Test
  void heads_that_are_no_whole_blocks_are_refused() throws Exception {
    ModelShape shape = ModelShape.tiny("llama").withHeads(8, 4, 24);
    Path file = MadeModel.write(folder.resolve("model.gguf"), shape, DType.F32, 1);
    assertThatThrownBy(() -> ours(file, KvTypes.of(DType.Q8_0), Kernels.own(), new int[] {1, 2}, 8))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("heads of 24");
    assertThatThrownBy(() -> KvTypes.of(DType.Q4_K)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> KvTypes.parse("q3_k")).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void values_that_are_a_part_of_keys_have_their_type() throws Exception {
    Path file = MadeModel.write(folder.resolve("model.gguf"), ModelShape.latent(), DType.F32, 1);
    KvTypes types = KvTypes.F16.withValues(DType.Q8_0);
    assertThatThrownBy(() -> ours(file, types, Kernels.own(), new int[] {1, 2}, 8))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("values are a part of keys");
  }

  private static ModelShape shape(String architecture) {
    ModelShape shape = ModelShape.tiny(architecture).withHeads(4, 2, 64);
    return switch (architecture) {
      case "deepseek2" -> ModelShape.latent();
      case "gemma2" -> shape.withTied().with("attention.sliding_window", 48);
      case "gpt-oss" -> shape.withExperts(4, 2).with("attention.sliding_window", 48);
      default -> shape;
    };
  }

  /** The logits of the last row. */
  private static float[] ours(Path file, KvTypes types, Kernels kernels, int[] tokens, int batch)
      throws Exception {
    LoadOptions loading =
        LoadOptions.defaults().withRepack(Repacking.NONE).withGpuLayers(0).withKernels(kernels);
    EngineOptions running =
        EngineOptions.defaults()
            .withContextTokens(256)
            .withThreads(2)
            .withBatchRows(batch)
            .withKernels(kernels)
            .withKvTypes(types);
    float[][] last = new float[1][];
    LogitsObserver observer =
        new LogitsObserver() {
          @Override
          public void observe(int position, float[] logits, int count) {
            last[0] = Arrays.copyOf(logits, count);
          }

          @Override
          public boolean everyRow() {
            return false;
          }
        };
    try (Model model = Model.load(file, loading);
        Engine engine = Engine.open(model, running)) {
      var _ =
          engine
              .submit(GenerateRequest.of(tokens).withMaxTokens(1).withObserver(observer))
              .finishReason();
    }
    return last[0];
  }

  private static float[] theirs(Path file, DType keys, DType values, int[] tokens) {
    int[] positions = new int[tokens.length];
    boolean[] wanted = new boolean[tokens.length];
    Arrays.setAll(positions, i -> i);
    wanted[tokens.length - 1] = true;
    try (LlamaModel llama = LlamaModel.load(file, false, 0);
        LlamaContext context = new LlamaContext(llama, 256, 512, 1, 2, keys, values)) {
      context.decode(tokens, positions, new int[tokens.length], wanted);
      return context.logits(tokens.length - 1);
    }
  }
}
