package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.gatun.bindings.GatunException;
import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.tensor.DType;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelCopy;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Files whose tensors are right and one of whose numbers is not: each is named. */
class RefusedNumbersTest {
  @TempDir Path folder;

  static Stream<Arguments> numbers() {
    ModelShape latent = ModelShape.latent();
    ModelShape chunked = ModelShape.chunked(4, 1);
    return Stream.of(
        arguments(latent, "attention.kv_lora_rank", 48, "key_length is 96, expected 80"),
        arguments(latent, "attention.value_length", 96, "value_length is 96, expected 64"),
        arguments(latent, "attention.head_count_kv", 8, "head_count_kv is 8, expected 1"),
        arguments(latent, "attention.key_length_mla", 32, "mla is 32, expected more than the 32"),
        arguments(latent, "attention.value_length_mla", 0, "mla is 0, expected 1 or more"),
        arguments(
            latent,
            "attention.value_length_mla",
            16,
            "attn_v_b.weight is [64, 32, 8], expected [64, 16, 8]"),
        arguments(latent, "nextn_predict_layers", 4, "is 4, but there are 4 layers"),
        arguments(latent, "expert_gating_func", 4, "expert_gating_func is 4; known are 1"),
        arguments(latent, "expert_group_count", 3, "8 experts (expert_count) in 3 groups"),
        arguments(latent, "expert_group_count", 8, "8 experts (expert_count) in 8 groups"),
        arguments(
            ModelShape.latentOfHeads(),
            "attention.head_count_kv",
            4,
            "head_count_kv is 4, expected 8"),
        arguments(
            latent.with("attention.temperature_scale", 0.1f),
            "attention.temperature_length",
            0,
            "temperature_scale is 0.1"),
        arguments(chunked, "expert_count", 0, "llama4.expert_count is 0"),
        arguments(chunked, "attention.sliding_window", 0, "sliding_window is 0"));
  }

  @ParameterizedTest(name = "{1} = {2}")
  @MethodSource("numbers")
  void a_number_that_does_not_fit_is_named(ModelShape shape, String key, int number, String message)
      throws Exception {
    Path right = MadeModel.write(folder.resolve("right.gguf"), shape, DType.F32, 1);
    Path wrong = folder.resolve("wrong.gguf");
    var _ = ModelCopy.with(right, wrong, shape.architecture() + "." + key, number);
    assertThatThrownBy(
            () -> {
              try (Model loaded = Model.load(wrong, LoadOptions.defaults());
                  Engine engine =
                      Engine.open(
                          loaded, EngineOptions.defaults().withContextTokens(256).withThreads(1))) {
                var _ = engine.submit(GenerateRequest.of(1, 2).withMaxTokens(1)).finishReason();
              }
            })
        .isInstanceOf(GatunException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("wrong.gguf");
  }
}
