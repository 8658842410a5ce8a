package io.gatun.tests.training;

import static io.gatun.tests.training.SmallTraining.ROWS;
import static io.gatun.tests.training.SmallTraining.examples;
import static io.gatun.tests.training.SmallTraining.loss;
import static io.gatun.tests.training.SmallTraining.model;
import static io.gatun.tests.training.SmallTraining.onStep;
import static io.gatun.tests.training.SmallTraining.options;
import static io.gatun.tests.training.SmallTraining.plain;
import static io.gatun.tests.training.SmallTraining.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gatun.adapters.training.Example;
import io.gatun.adapters.training.FullParameters;
import io.gatun.adapters.training.LearningRate;
import io.gatun.adapters.training.LoraParameters;
import io.gatun.adapters.training.Optimizer;
import io.gatun.adapters.training.Packing;
import io.gatun.adapters.training.Parameters;
import io.gatun.adapters.training.PrefixParameters;
import io.gatun.adapters.training.PromptParameters;
import io.gatun.adapters.training.Trainer;
import io.gatun.adapters.training.TrainerOptions;
import io.gatun.adapters.training.TrainerOptions.Recompute;
import io.gatun.adapters.training.TrainingListener;
import io.gatun.engine.AdapterUse;
import io.gatun.model.LoadOptions;
import io.gatun.model.LoadOptions.Repacking;
import io.gatun.model.Model;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.AdapterFile;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.DType;
import io.gatun.tensor.Op.UpdateRule;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Training of whole small models. */
@Timeout(300)
class TrainerTest {
  @TempDir Path folder;

  static Stream<ModelShape> shapes() {
    return Stream.concat(
        Stream.of(
                "llama", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "olmo2", "smollm3",
                "granite")
            .map(ModelShape::tiny),
        Stream.of(
            ModelShape.tiny("llama").withTied(),
            ModelShape.tiny("gemma3").with("attention.sliding_window", 4),
            ModelShape.tiny("qwen3moe").withExperts(4, 2),
            ModelShape.tiny("qwen2moe")
                .withExperts(4, 2)
                .with(
                    "expert_shared_feed_forward_length", ModelShape.tiny("qwen2moe").feedForward()),
            ModelShape.tiny("olmoe").withExperts(4, 2),
            ModelShape.tiny("gpt-oss").withExperts(4, 2).with("attention.sliding_window", 4)));
  }

  /**
   * A small step along the gradient g must lower the loss by |step|·|g|: a wrong part of g would
   * make the step longer than what it gains.
   */
  @ParameterizedTest
  @MethodSource("shapes")
  void the_gradient_of_every_architecture_is_its_slope(ModelShape shape) throws Exception {
    try (Model model = model(folder, shape, DType.F32)) {
      Packing data = text(3, 20);
      double norm = slope(model, FullParameters.all(), data, 0).gradientNorm;
      double gain = 2e-3;
      Slope moved = slope(model, FullParameters.all(), data, gain / (norm * norm));
      assertThat(moved.before - moved.after).isCloseTo(gain, within(0.04 * gain));
    }
  }

  private record Slope(double before, double after, double gradientNorm) {}

  private Slope slope(Model model, Parameters parameters, Packing data, double rate)
      throws IOException {
    Optimizer descent =
        Optimizer.adamW(1)
            .withRule(UpdateRule.SGD)
            .withLearningRate(LearningRate.constant((float) rate))
            .withWeightDecay(0)
            .withNormMax(0)
            .withMomentum(0);
    double[] norm = new double[1];
    TrainerOptions options = options(1).withOptimizer(descent);
    try (Trainer trainer = new Trainer(model, parameters, options)) {
      double before = trainer.evaluate(data);
      var _ = trainer.train(data, Optional.empty(), onStep(step -> norm[0] = step.gradientNorm()));
      return new Slope(before, trainer.evaluate(data), norm[0]);
    }
  }

  /** On F32 and on frozen quantised weights; the engine then computes what training computed. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "Q8_0", "Q4_K"})
  void a_lora_learns_and_acts_in_the_engine_as_it_did_in_training(DType type) throws Exception {
    try (Model model = model(folder, ModelShape.tiny("llama"), type)) {
      List<Example> examples = examples(4, 12);
      Packing data = new Packing(examples, ROWS, 0, 32, false, 1);
      LoraParameters lora = LoraParameters.ofRank(4);
      try (Trainer trainer = new Trainer(model, lora, options(30))) {
        double before = trainer.evaluate(data);
        var _ = trainer.train(data, Optional.empty(), TrainingListener.NONE);
        double after = trainer.evaluate(data);
        assertThat(after).isLessThan(before - 1);
        Adapter adapter = lora.adapter(model, "l", trainer::values, Map.of());
        assertThat(loss(model, examples, List.of(new AdapterUse(adapter, 1))))
            .isCloseTo(after, within(0.02));
      }
    }
  }

  @Test
  void a_soft_prompt_learns_and_acts_in_the_engine_as_it_did_in_training() throws Exception {
    try (Model model = model(folder, ModelShape.tiny("llama"), DType.F32)) {
      List<Example> examples = examples(2, 12);
      PromptParameters prompt = PromptParameters.ofText(model, 6, 5, 6, 7);
      Packing data = new Packing(examples, ROWS, prompt.softRows(), 32, false, 1);
      try (Trainer trainer = new Trainer(model, prompt, options(40))) {
        double before = trainer.evaluate(data);
        var _ = trainer.train(data, Optional.empty(), TrainingListener.NONE);
        double after = trainer.evaluate(data);
        assertThat(after).isLessThan(before - 0.1);
        Adapter adapter = prompt.adapter(model, "p", trainer::values);
        assertThat(loss(model, examples, List.of(new AdapterUse(adapter, 1))))
            .isCloseTo(after, within(0.02));
      }
    }
  }

  /** Also in a model with windows that end within the prefix. */
  @ParameterizedTest
  @ValueSource(strings = {"llama", "gemma3", "gpt-oss", "phi3"})
  void a_prefix_learns_and_acts_from_its_file(String architecture) throws Exception {
    ModelShape shape = ModelShape.tiny(architecture);
    shape = architecture.equals("gpt-oss") ? shape.withExperts(4, 2) : shape;
    boolean slides = architecture.startsWith("g");
    try (Model model =
        model(folder, slides ? shape.with("attention.sliding_window", 8) : shape, DType.F32)) {
      List<Example> examples = examples(2, 12);
      PrefixParameters prefix = new PrefixParameters(6);
      Packing data = new Packing(examples, ROWS, 0, 32, false, 1);
      Path file = folder.resolve("prefix.gguf");
      try (Trainer trainer = new Trainer(model, prefix, options(40))) {
        double before = trainer.evaluate(data);
        var _ = trainer.train(data, Optional.empty(), TrainingListener.NONE);
        double after = trainer.evaluate(data);
        assertThat(after).isLessThan(before - 0.1);
        AdapterFile.write(prefix.adapter(model, "p", trainer::values), DType.F32, file);
        Adapter read = AdapterFile.read(file);
        assertThat(loss(model, examples, List.of(new AdapterUse(read, 1))))
            .isCloseTo(after, within(0.02));
      }
    }
  }

  @Test
  void a_trained_model_is_a_file_with_the_loss_of_its_training() throws Exception {
    try (Model model = model(folder, ModelShape.tiny("llama").withTied(), DType.F16)) {
      Packing data = text(3, 20);
      FullParameters all = FullParameters.all();
      Path file = folder.resolve("trained.gguf");
      double after;
      try (Trainer trainer = new Trainer(model, all, options(20))) {
        double before = trainer.evaluate(data);
        var _ = trainer.train(data, Optional.empty(), TrainingListener.NONE);
        after = trainer.evaluate(data);
        assertThat(after).isLessThan(before - 1);
        all.write(model, trainer::values, DType.F32, file);
      }
      try (Model trained = Model.load(file, plain());
          Trainer trainer = new Trainer(trained, all, options(1))) {
        assertThat(trainer.evaluate(data)).isCloseTo(after, within(1e-5));
      }
    }
  }

  /** Killed between two steps and taken up again: bit for bit as if nothing had been. */
  @Test
  void training_goes_on_from_a_snapshot_as_if_it_had_never_stopped() throws Exception {
    try (Model model = model(folder, ModelShape.tiny("llama"), DType.Q8_0)) {
      LoraParameters lora = LoraParameters.ofRank(4);
      Packing data = text(9, 12);
      Path file = folder.resolve("state");
      TrainerOptions options = options(12).withSnapshots(file, 5);
      float[] straight;
      try (Trainer trainer = new Trainer(model, lora, options(12))) {
        var _ = trainer.train(data, Optional.empty(), TrainingListener.NONE);
        straight = trainer.values("blk.0.attn_q.lora_b");
      }
      try (Trainer trainer = new Trainer(model, lora, options)) {
        assertThat(trainer.train(data, Optional.empty(), stopAfter(7)).finished()).isFalse();
      }
      try (Trainer trainer = new Trainer(model, lora, options)) {
        Trainer.Result result = trainer.train(data, Optional.empty(), TrainingListener.NONE);
        assertThat(result.finished()).isTrue();
        assertThat(result.steps()).isEqualTo(12);
        assertThat(trainer.values("blk.0.attn_q.lora_b")).isEqualTo(straight);
      }
      byte[] bytes = Files.readAllBytes(file);
      bytes[bytes.length / 2] ^= 1;
      Files.write(file, bytes);
      try (Trainer trainer = new Trainer(model, lora, options)) {
        assertThatThrownBy(() -> trainer.train(data, Optional.empty(), TrainingListener.NONE))
            .isInstanceOf(IOException.class)
            .hasMessageContaining("damaged");
      }
      try (Trainer trainer = new Trainer(model, LoraParameters.ofRank(8), options)) {
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
        assertThatThrownBy(() -> trainer.train(data, Optional.empty(), TrainingListener.NONE))
            .isInstanceOf(IOException.class)
            .hasMessageContaining("another training");
      }
    }
  }

  @Test
  void recomputing_changes_memory_and_not_one_bit() throws Exception {
    try (Model model = model(folder, ModelShape.tiny("llama").withLayers(6), DType.F32)) {
      Packing data = text(3, 20);
      List<float[]> values = new ArrayList<>();
      Map<Recompute, Long> bytes = new EnumMap<>(Recompute.class);
      for (Recompute recompute : Recompute.values()) {
        TrainerOptions options = options(3).withRecompute(recompute);
        try (Trainer trainer = new Trainer(model, FullParameters.all(), options)) {
          var _ =
              trainer.train(
                  data,
                  Optional.empty(),
                  onStep(step -> {
                    if (step.number() == 1) {
                      bytes.put(recompute, step.computeBytes());
                    }
                  }));
          values.add(trainer.values("blk.0.attn_q.weight"));
        }
      }
      assertThat(values).allMatch(v -> java.util.Arrays.equals(v, values.getFirst()));
      assertThat(bytes.get(Recompute.LAYERS)).isLessThan(bytes.get(Recompute.NONE));
      assertThat(bytes.get(Recompute.SELECTIVE)).isLessThanOrEqualTo(bytes.get(Recompute.NONE));
    }
  }

  /** Examples in one batch do not see each other, and what fills it up does not count. */
  @Test
  void packed_examples_have_the_loss_of_each_alone() throws Exception {
    try (Model model = model(folder, ModelShape.tiny("llama"), DType.F32);
        Trainer trainer = new Trainer(model, LoraParameters.ofRank(2), options(1))) {
      List<Example> examples = examples(3, 15);
      double sum = 0;
      for (Example example : examples) {
        sum += trainer.evaluate(new Packing(List.of(example), ROWS, 0, 32, false, 1));
      }
      assertThat(trainer.evaluate(new Packing(examples, ROWS, 0, 32, false, 1)))
          .isCloseTo(sum / 3, within(1e-5));
    }
  }

  /** Two passes of one example each are one pass of both. */
  @Test
  void gradients_add_up_over_passes() throws Exception {
    try (Model model = model(folder, ModelShape.tiny("llama"), DType.F32)) {
      List<Example> both = examples(2, 21);
      float[] one = step(model, new Packing(both, 2 * 20, 0, 20, false, 1), 40, 1);
      float[] two = step(model, new Packing(both, 20, 0, 20, false, 1), 20, 2);
      assertThat(two).containsExactly(one, org.assertj.core.data.Offset.offset(1e-5f));
    }
  }

  private static float[] step(Model model, Packing data, int rows, int passes) throws IOException {
    TrainerOptions options = options(1).withBatch(rows, passes);
    try (Trainer trainer = new Trainer(model, FullParameters.all(), options)) {
      var _ = trainer.train(data, Optional.empty(), TrainingListener.NONE);
      return trainer.values("blk.0.ffn_up.weight");
    }
  }

  @Test
  void bad_input_is_refused_clearly() throws Exception {
    assertThatThrownBy(() -> new Packing(List.of(), 8, 0, 8, false, 1))
        .hasMessageContaining("no examples");
    assertThatThrownBy(() -> new Packing(List.of(Example.text(1, 2, 3, 4, 5)), 8, 0, 3, false, 1))
        .isInstanceOf(CapacityException.class)
        .hasMessageContaining("example 1 has 5 tokens");
    Path file = MadeModel.write(folder.resolve("r.gguf"), ModelShape.tiny("llama"), DType.Q4_0, 1);
    try (Model rearranged =
        Model.load(file, LoadOptions.defaults().withRepack(Repacking.ALL).withGpuLayers(0))) {
      assertThatThrownBy(() -> new Trainer(rearranged, LoraParameters.ofRank(2), options(1)))
          .hasMessageContaining("rearranged");
      assertThatThrownBy(() ->
              LoraParameters.ofRank(2)
                  .withTargets(java.util.regex.Pattern.compile("nothing"))
                  .shapes(rearranged))
          .hasMessageContaining("nothing");
    }
  }

  static TrainingListener stopAfter(long steps) {
    return new TrainingListener() {
      private long done;

      @Override
      public void step(Step step) {
        done = step.number();
      }

      @Override
      public boolean stop() {
        return done >= steps;
      }
    };
  }
}
