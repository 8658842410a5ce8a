package io.gatun.tests.oracle;

import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.gatun.tensor.DType;
import io.gatun.tensor.Kernels;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every architecture against libllama: zero differing bits. */
class ArchitectureOracleTest {
  @TempDir Path folder;

  static Stream<Arguments> architectures() {
    return Stream.concat(ArchitectureShapes.further(), mostUsed());
  }

  private static Stream<Arguments> mostUsed() {
    return Stream.of(
        arguments("llama", ModelShape.tiny("llama")),
        arguments("llama 3", ModelShape.tiny("llama").withRopeFactors()),
        arguments("llama, tied", ModelShape.tiny("llama").withTied()),
        arguments("mixtral", ModelShape.tiny("llama").withExperts(8, 2)),
        arguments("qwen2", ModelShape.tiny("qwen2").withTied()),
        arguments("qwen3", ModelShape.tiny("qwen3").withHeads(8, 2, 64).withTied()),
        arguments(
            "gemma2",
            ModelShape.tiny("gemma2")
                .withHeads(4, 2, 64)
                .withTied()
                .with("attention.sliding_window", 48)),
        arguments(
            "gemma3",
            ModelShape.tiny("gemma3")
                .withLayers(7)
                .withHeads(4, 1, 64)
                .withTied()
                .with("rope.freq_base", 1000000f)
                .with("rope.scaling.type", "linear")
                .with("rope.scaling.factor", 8f)
                .with("attention.sliding_window", 48)),
        arguments("phi3", ModelShape.tiny("phi3")),
        arguments(
            "phi3, long",
            ModelShape.tiny("phi3")
                .with("rope.scaling.original_context_length", 512)
                .with("rope.scaling.attn_factor", 1.19f)),
        arguments("smollm3", ModelShape.tiny("smollm3").withLayers(5).withTied()),
        arguments("olmo2", ModelShape.tiny("olmo2")),
        arguments(
            "olmo3",
            ModelShape.tiny("olmo2")
                .withLayers(5)
                .with("attention.sliding_window", 48)
                .with("rope.scaling.type", "yarn")
                .with("rope.scaling.factor", 8f)
                .with("rope.scaling.original_context_length", 256)),
        arguments(
            "granite",
            ModelShape.tiny("granite")
                .withTied()
                .with("embedding_scale", 12f)
                .with("residual_scale", 0.22f)
                .with("attention.scale", 0.0156f)
                .with("logit_scale", 8f)),
        arguments(
            "granitemoe",
            ModelShape.tiny("granitemoe")
                .withExperts(8, 2)
                .withTied()
                .with("embedding_scale", 12f)
                .with("residual_scale", 0.22f)
                .with("attention.scale", 0.0156f)
                .with("logit_scale", 6f)),
        arguments(
            "qwen2moe",
            ModelShape.tiny("qwen2moe")
                .withExperts(8, 4)
                .with("expert_shared_feed_forward_length", 512)),
        arguments("qwen3moe", ModelShape.tiny("qwen3moe").withExperts(16, 4)),
        arguments("olmoe", ModelShape.tiny("olmoe").withHeads(8, 8, 32).withExperts(16, 4)),
        arguments(
            "command-r", ModelShape.tiny("command-r").withTied().with("logit_scale", 0.0625f)),
        arguments(
            "cohere2",
            ModelShape.tiny("cohere2")
                .withLayers(5)
                .withTied()
                .with("logit_scale", 0.25f)
                .with("attention.sliding_window", 48)),
        arguments("starcoder2", ModelShape.tiny("starcoder2").withTied()),
        arguments("nemotron", ModelShape.tiny("nemotron").with("rope.dimension_count", 16)),
        arguments("falcon", ModelShape.tiny("falcon").withHeads(8, 1, 32)),
        arguments("glm4", ModelShape.tiny("glm4").with("rope.dimension_count", 16)),
        arguments("ernie4_5", ModelShape.tiny("ernie4_5").withTied()),
        arguments(
            "ernie4_5-moe",
            ModelShape.tiny("ernie4_5-moe")
                .withExperts(8, 2)
                .withTied()
                .with("leading_dense_block_count", 1)
                .with("interleave_moe_layer_step", 1)
                .with("expert_shared_feed_forward_length", 512)),
        arguments("hunyuan-dense", ModelShape.tiny("hunyuan-dense").withTied()),
        arguments(
            "hunyuan-moe",
            ModelShape.tiny("hunyuan-moe")
                .withExperts(8, 2)
                .with("expert_shared_feed_forward_length", 512)),
        arguments(
            "mistral3",
            ModelShape.tiny("mistral3")
                .with("attention.temperature_scale", 0.1f)
                .with("rope.scaling.type", "yarn")
                .with("rope.scaling.factor", 16f)
                .with("rope.scaling.yarn_log_multiplier", 1f)
                .with("rope.scaling.original_context_length", 32)),
        arguments("llama4", ModelShape.chunked(8, 1).withRopeFactors()),
        arguments(
            "llama4, every other layer",
            ModelShape.chunked(128, 1)
                .with("interleave_moe_layer_step", 2)
                .with("rope.freq_base_swa", 20000f)),
        arguments("llama4, two experts", ModelShape.chunked(4, 2)),
        arguments("deepseek2, lite", ModelShape.latent()),
        arguments("deepseek2, old lite", ModelShape.latentOfHeads()),
        arguments(
            "deepseek2",
            ModelShape.latent()
                .withHeads(4, 1, 576)
                .with("attention.value_length", 512)
                .with("attention.kv_lora_rank", 512)
                .with("rope.dimension_count", 64)
                .with("attention.key_length_mla", 192)
                .with("attention.value_length_mla", 128)
                .with("attention.q_lora_rank", 96)
                .with("expert_gating_func", 2)
                .with("expert_weights_norm", true)
                .with("expert_weights_scale", 2.5f)
                .with("expert_group_count", 4)
                .with("expert_group_used_count", 2)
                .withChoiceBias()
                .withFusedExperts()
                .with("attention.temperature_scale", 0.1f)
                .with("attention.temperature_length", 48)
                .with("rope.scaling.type", "yarn")
                .with("rope.scaling.factor", 40f)
                .with("rope.scaling.original_context_length", 256)
                .with("rope.scaling.yarn_log_multiplier", 0.1f)),
        arguments(
            "deepseek2, old",
            ModelShape.latentOfHeads()
                .with("attention.q_lora_rank", 96)
                .with("attention.temperature_scale", 0.1f)
                .with("attention.temperature_length", 32)
                .with("expert_gating_func", 1)
                .with("expert_weights_scale", 16f)
                .with("rope.scaling.type", "yarn")
                .with("rope.scaling.factor", 40f)
                .with("rope.scaling.original_context_length", 256)
                .with("rope.scaling.yarn_log_multiplier", 0.0707f)),
        arguments(
            "gpt-oss",
            ModelShape.tiny("gpt-oss")
                .withHeads(8, 2, 64)
                .withExperts(8, 4)
                .with("attention.sliding_window", 48)
                .with("rope.freq_base", 150000f)
                .with("rope.scaling.type", "yarn")
                .with("rope.scaling.factor", 32f)
                .with("rope.scaling.original_context_length", 256)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("architectures")
  void one_sequence_gives_the_logits_of_libllama(String name, ModelShape shape) throws Exception {
    Path file = MadeModel.write(folder.resolve("model.gguf"), shape, DType.F32, 1);
    new Lockstep(file, false, 2).compare(List.of(tokens(shape, 70, 1)), 64, true);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("architectures")
  void three_quantised_sequences_across_256_cells_give_the_logits_of_libllama(
      String name, ModelShape shape) throws Exception {
    Path file = MadeModel.write(folder.resolve("model.gguf"), shape, DType.Q4_0, 2);
    new Lockstep(file, true, 2)
        .compare(
            List.of(tokens(shape, 110, 2), tokens(shape, 40, 3), tokens(shape, 75, 4)), 64, true);
  }

  /**
   * What applications do: of a prompt only the last row's logits are wanted. libllama then still
   * computes the whole last layer of gpt-oss, by kernels for many rows; Gatun computes the one row,
   * by kernels for one, so that rounding differs.
   */
  @ParameterizedTest(name = "{0}")
  @MethodSource("architectures")
  void the_last_row_of_a_prompt_is_that_of_libllama(String name, ModelShape shape)
      throws Exception {
    Path file = MadeModel.write(folder.resolve("model.gguf"), shape, DType.Q8_0, 3);
    float tolerance = shape.architecture().equals("gpt-oss") ? 0.05f : 0;
    new Lockstep(file, false, 2)
        .compare(List.of(tokens(shape, 90, 2), tokens(shape, 17, 3)), 5, false, tolerance);
  }

  /** Windows come with 64 layers: one thread, as two wait for each other at every node. */
  @Test
  void the_largest_exaone4_has_the_windows_of_libllama() throws Exception {
    ModelShape shape =
        new ModelShape("exaone4", 64, 64, 2, 1, 32, 64, 320, 0, 0, false, Map.of())
            .with("attention.sliding_window", 48);
    Path file = MadeModel.write(folder.resolve("model.gguf"), shape, DType.F32, 1);
    new Lockstep(file, false, 1).compare(List.of(tokens(shape, 70, 1)), 4, true);
  }

  /** Our own kernels round elsewhere than GGML's, and nothing else may differ. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("architectures")
  void own_kernels_give_the_logits_of_libllama_but_for_rounding(String name, ModelShape shape)
      throws Exception {
    Path file = MadeModel.write(folder.resolve("model.gguf"), shape, DType.F32, 5);
    new Lockstep(file, false, 2, Kernels.own())
        .compare(List.of(tokens(shape, 70, 6), tokens(shape, 21, 7)), 8, true, 0.05f);
  }

  static int[] tokens(ModelShape shape, int count, long seed) {
    return new SplittableRandom(seed).ints(count, 0, shape.vocabulary()).toArray();
  }
}
