package io.gatun.adapters.training;

import io.gatun.model.LoadOptions;
import io.gatun.model.LoadOptions.Repacking;
import io.gatun.model.Model;
import io.gatun.tensor.DType;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Parameter by parameter, the gradients of whole models of every architecture. */
@Timeout(300)
class ModelGradientsTest {
  private static final int VOCABULARY = 48;

  @TempDir Path folder;

  static Stream<ModelShape> shapes() {
    return Stream.of(
        small("llama"),
        small("llama").withTied(),
        small("qwen2"),
        small("qwen3"),
        small("gemma2"),
        small("gemma3").with("attention.sliding_window", 4),
        small("phi3"),
        small("olmo2"),
        small("smollm3"),
        small("granite"),
        small("command-r"),
        small("nemotron"),
        small("falcon"),
        small("glm4"),
        small("hunyuan-moe").withExperts(4, 2).with("expert_shared_feed_forward_length", 64),
        small("llama").withExperts(4, 2),
        small("qwen3moe").withExperts(4, 2),
        small("qwen2moe").withExperts(4, 2).with("expert_shared_feed_forward_length", 64),
        small("olmoe").withExperts(4, 2),
        small("gpt-oss").withExperts(4, 2).with("attention.sliding_window", 4),
        small("mistral3")
            .with("attention.temperature_scale", 0.5f)
            .with("rope.scaling.original_context_length", 3),
        small("olmo").with("attention.clamp_kqv", 0.4f),
        small("stablelm").withOneNorm(),
        small("glm4moe")
            .withLayers(3)
            .withExperts(4, 2)
            .with("expert_shared_count", 1)
            .with("nextn_predict_layers", 1),
        small("llama4")
            .withLayers(4)
            .withExperts(4, 2)
            .with("interleave_moe_layer_step", 2)
            .with("expert_shared_feed_forward_length", 64),
        latent()
            .withHeads(4, 1, 24)
            .with("attention.value_length", 16)
            .with("attention.key_length_mla", 16)
            .with("attention.value_length_mla", 8)
            .with("expert_group_count", 2)
            .with("expert_group_used_count", 1)
            .withFusedExperts(),
        latent()
            .withHeads(4, 4, 16)
            .with("attention.key_length", 16)
            .with("attention.value_length", 8));
  }

  private static ModelShape latent() {
    return small("deepseek2")
        .withExperts(4, 2)
        .with("attention.kv_lora_rank", 16)
        .with("attention.q_lora_rank", 12)
        .with("rope.dimension_count", 8)
        .with("expert_shared_count", 1)
        .with("leading_dense_block_count", 1);
  }

  /**
   * GELU is a table of halves in GGML, and so the loss of models that have it is a little rough.
   */
  @ParameterizedTest
  @MethodSource("shapes")
  void gradients_of_every_tensor_are_slopes(ModelShape shape) throws IOException {
    try (Model model = model(shape);
        var differences = differences(model, FullParameters.all(), options())) {
      boolean rough = shape.architecture().matches("gemma.*|falcon");
      differences.check(rough ? 0.06f : 0.01f, rough ? 0.15 : 0.03);
    }
  }

  @ParameterizedTest
  @EnumSource(TrainerOptions.Recompute.class)
  void gradients_of_router_losses_are_slopes(TrainerOptions.Recompute recompute)
      throws IOException {
    TrainerOptions strong = options().withRouterLosses(2f, 0.5f).withRecompute(recompute);
    try (Model model = model(small("qwen3moe").withExperts(4, 2));
        var differences = differences(model, FullParameters.all(), strong)) {
      differences.check(0.01f, 0.03);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "olmoe"})
  void gradients_of_a_lora_with_dropout_are_slopes(String architecture) throws IOException {
    ModelShape shape = small(architecture);
    LoraParameters lora = LoraParameters.ofRank(3).withDropout(0.25f);
    try (Model model = model(architecture.equals("olmoe") ? shape.withExperts(4, 2) : shape);
        var differences = differences(model, lora, options()).shaken(0.1f)) {
      differences.check(0.01f, 0.03);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = TrainerOptions.Recompute.class,
      names = {"NONE", "LAYERS"})
  void gradients_of_a_dora_are_slopes(TrainerOptions.Recompute recompute) throws IOException {
    LoraParameters dora = LoraParameters.ofRank(3).withMagnitudes(true);
    try (Model model = model(small("qwen3"));
        var differences =
            differences(model, dora, options().withRecompute(recompute)).shaken(0.1f)) {
      differences.check(0.01f, 0.03);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "gpt-oss"})
  void gradients_of_a_prefix_are_slopes(String architecture) throws IOException {
    ModelShape shape = small(architecture);
    boolean slides = architecture.equals("gpt-oss");
    shape = slides ? shape.withExperts(4, 2).with("attention.sliding_window", 4) : shape;
    try (Model model = model(shape);
        var differences = differences(model, new PrefixParameters(5), options()).shaken(0.5f)) {
      differences.check(0.01f, 0.03);
    }
  }

  private static FiniteDifferences differences(
      Model model, Parameters parameters, TrainerOptions options) {
    SplittableRandom random = new SplittableRandom(3);
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      examples.add(Example.text(random.ints(7, 0, VOCABULARY).toArray()));
    }
    return new FiniteDifferences(model, parameters, options, examples);
  }

  private static TrainerOptions options() {
    return TrainerOptions.defaults().withBatch(16, 1);
  }

  private static ModelShape small(String architecture) {
    return new ModelShape(architecture, 2, 64, 4, 2, 16, 64, VOCABULARY, 0, 0, false, Map.of());
  }

  private Model model(ModelShape shape) throws IOException {
    Path file = MadeModel.write(folder.resolve("m.gguf"), shape, DType.F32, 1);
    return Model.load(file, LoadOptions.defaults().withRepack(Repacking.NONE).withGpuLayers(0));
  }
}
