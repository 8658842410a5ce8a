package io.gatun.tests.oracle;

import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.gatun.tests.kit.ModelShape;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Shapes of architectures that are used less. */
final class ArchitectureShapes {
  private ArchitectureShapes() {}

  static Stream<Arguments> further() {
    return Stream.of(
        arguments("exaone", ModelShape.tiny("exaone").withTied()),
        arguments("exaone4", ModelShape.tiny("exaone4")),
        arguments("arcee", ModelShape.tiny("arcee")),
        arguments("internlm2", ModelShape.tiny("internlm2")),
        arguments("xverse", ModelShape.tiny("xverse")),
        arguments("chatglm", ModelShape.tiny("chatglm").with("rope.dimension_count", 16)),
        arguments("seed_oss", ModelShape.tiny("seed_oss")),
        arguments("minicpm", ModelShape.tiny("minicpm")),
        arguments(
            "minicpm, factors",
            ModelShape.tiny("minicpm")
                .withTied()
                .with("embedding_scale", 10f)
                .with("residual_scale", 0.3f)
                .with("logit_scale", 2f)),
        arguments(
            "phi2", ModelShape.tiny("phi2").withHeads(8, 8, 32).with("rope.dimension_count", 16)),
        arguments(
            "gptneox",
            ModelShape.tiny("gptneox")
                .withHeads(8, 8, 32)
                .with("rope.dimension_count", 8)
                .with("use_parallel_residual", true)),
        arguments(
            "gptneox, in turn",
            ModelShape.tiny("gptneox").withHeads(8, 8, 32).with("use_parallel_residual", false)),
        arguments("stablelm", ModelShape.tiny("stablelm").with("rope.dimension_count", 8)),
        arguments("stablelm, one norm", ModelShape.tiny("stablelm").withOneNorm()),
        arguments("orion", ModelShape.tiny("orion")),
        arguments("olmo", ModelShape.tiny("olmo").withTied().with("attention.clamp_kqv", 0.5f)),
        arguments("deepseek", experts("deepseek").with("expert_weights_scale", 1.5f)),
        arguments(
            "bailingmoe",
            experts("bailingmoe")
                .with("leading_dense_block_count", 0)
                .with("expert_weights_norm", true)),
        arguments(
            "bailingmoe2",
            experts("bailingmoe2")
                .with("expert_gating_func", 2)
                .with("expert_weights_norm", true)
                .with("expert_weights_scale", 2.5f)
                .withChoiceBias()),
        arguments(
            "dots1",
            experts("dots1")
                .withHeads(8, 8, 32)
                .with("expert_gating_func", 2)
                .with("expert_weights_norm", true)),
        arguments(
            "glm4moe",
            experts("glm4moe").with("rope.dimension_count", 16).with("expert_weights_norm", true)));
  }

  private static ModelShape experts(String architecture) {
    return ModelShape.tiny(architecture)
        .withExperts(8, 2)
        .with("expert_shared_count", 1)
        .with("leading_dense_block_count", 1);
  }
}
