package io.gatun.tests.training;

import static io.gatun.tests.training.SmallTraining.ROWS;
import static io.gatun.tests.training.SmallTraining.examples;
import static io.gatun.tests.training.SmallTraining.loss;
import static io.gatun.tests.training.SmallTraining.model;
import static io.gatun.tests.training.SmallTraining.onStep;
import static io.gatun.tests.training.SmallTraining.options;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gatun.adapters.training.Example;
import io.gatun.adapters.training.FullParameters;
import io.gatun.adapters.training.LoraParameters;
import io.gatun.adapters.training.Packing;
import io.gatun.adapters.training.Trainer;
import io.gatun.adapters.training.TrainerOptions;
import io.gatun.adapters.training.TrainingListener;
import io.gatun.engine.AdapterUse;
import io.gatun.model.Model;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.AdapterFile;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.tensor.DType;
import io.gatun.tests.kit.ModelShape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What kinds of LoRAs learn, and that files and engines keep it. */
@Timeout(300)
class LoraTrainingTest {
  private static final Pattern EXPERTS = Pattern.compile("ffn_(gate|up|down)_exps");

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"qwen3moe, F32", "qwen3moe, Q8_0", "olmoe, Q4_K", "gpt-oss, F32"})
  void a_lora_of_experts_learns_and_acts_from_its_file(String architecture, DType type)
      throws Exception {
    ModelShape shape = ModelShape.tiny(architecture).withExperts(4, 2);
    try (Model model = model(folder, shape, type)) {
      LoraAdapter adapter =
          trained(model, LoraParameters.ofRank(3).withTargets(EXPERTS), "experts");
      assertThat(adapter.deltas()).hasSize(3 * shape.layers());
      assertThat(adapter.deltas().values()).allMatch(d -> d.experts() == 4);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "Q8_0", "Q4_K"})
  void a_dora_learns_and_acts_from_its_file(DType type) throws Exception {
    try (Model model = model(folder, ModelShape.tiny("llama"), type)) {
      LoraAdapter adapter = trained(model, LoraParameters.ofRank(3).withMagnitudes(true), "dora");
      assertThat(adapter.deltas().values()).allMatch(LowRank::rescales);
      assertThat(adapter.toString()).contains("DoRA of rank 3");
    }
    ModelShape experts = ModelShape.tiny("olmoe").withExperts(4, 2);
    try (Model model = model(folder, experts, type)) {
      assertThatThrownBy(
              () -> new Trainer(model, LoraParameters.ofRank(3).withMagnitudes(true), options(1)))
          .hasMessageContaining("expert matrices of blk.0.ffn_");
    }
  }

  /** Before it has learned anything, a DoRA is the model. */
  @Test
  void a_new_dora_changes_nothing() throws Exception {
    Packing data = new Packing(examples(4, 12), ROWS, 0, 32, false, 1);
    LoraParameters lora = LoraParameters.ofRank(3);
    try (Model model = model(folder, ModelShape.tiny("llama"), DType.F32);
        Trainer plain = new Trainer(model, lora, options(1));
        Trainer with = new Trainer(model, lora.withMagnitudes(true), options(1))) {
      assertThat(with.evaluate(data)).isCloseTo(plain.evaluate(data), within(1e-5));
    }
  }

  @Test
  void router_losses_even_out_the_use_of_experts_and_are_reported() throws Exception {
    ModelShape shape = ModelShape.tiny("qwen3moe").withExperts(8, 2);
    try (Model model = model(folder, shape, DType.F32)) {
      List<Double> without = balances(model, 0);
      List<Double> with = balances(model, 1);
      assertThat(with.getFirst()).isCloseTo(without.getFirst(), within(1e-6)).isBetween(1.0, 8.0);
      assertThat(with.getLast()).isLessThan(without.getLast()).isLessThan(with.getFirst());
    }
    try (Model dense = model(folder, ModelShape.tiny("llama"), DType.F32)) {
      assertThatThrownBy(
              () -> new Trainer(dense, LoraParameters.ofRank(2), options(1).withRouterLosses(1, 0)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("no experts");
    }
  }

  /**
   * What is left out differs from pass to pass, by seed and step alone; ratings leave nothing out.
   */
  @Test
  void dropout_goes_on_from_a_snapshot_with_the_same_bits() throws Exception {
    Packing data = new Packing(examples(9, 12), ROWS, 0, 32, false, 1);
    LoraParameters lora = LoraParameters.ofRank(4).withDropout(0.2f);
    TrainerOptions options = options(8).withBatch(ROWS, 2);
    TrainerOptions kept = options.withSnapshots(folder.resolve("state"), 3);
    try (Model model = model(folder, ModelShape.tiny("llama"), DType.Q8_0)) {
      float[] straight = values(model, lora, options, data, 8);
      assertThat(values(model, lora, options, data, 8)).isEqualTo(straight);
      assertThat(values(model, lora.withDropout(0), options, data, 8)).isNotEqualTo(straight);
      assertThat(values(model, lora, options.withSeed(2), data, 8)).isNotEqualTo(straight);
      var _ = values(model, lora, kept, data, 4);
      assertThatThrownBy(() -> values(model, lora.withDropout(0.3f), kept, data, 8))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("another training");
      assertThat(values(model, lora, kept, data, 8)).isEqualTo(straight);
      try (Trainer with = new Trainer(model, lora, options);
          Trainer without = new Trainer(model, lora.withDropout(0), options)) {
        assertThat(with.evaluate(data)).isEqualTo(without.evaluate(data));
      }
    }
  }

  /** One matrix after so many steps. */
  private static float[] values(
      Model model, LoraParameters lora, TrainerOptions options, Packing data, long steps)
      throws IOException {
    try (Trainer trainer = new Trainer(model, lora, options)) {
      var _ = trainer.train(data, Optional.empty(), TrainerTest.stopAfter(steps));
      return trainer.values("blk.0.attn_q.lora_b");
    }
  }

  private static List<Double> balances(Model model, float weight) throws Exception {
    List<Double> balances = new ArrayList<>();
    Packing data = new Packing(examples(4, 12), ROWS, 0, 32, false, 1);
    FullParameters routers = new FullParameters(Pattern.compile("ffn_gate_inp"));
    TrainerOptions options = options(20).withRouterLosses(weight, 1e-3f);
    try (Trainer trainer = new Trainer(model, routers, options)) {
      var _ =
          trainer.train(
              data,
              Optional.empty(),
              onStep(step -> balances.add(step.routers().orElseThrow().balance())));
    }
    return balances;
  }

  /** Trains, and requires that a file of what was learned has the loss of training in an engine. */
  private LoraAdapter trained(Model model, LoraParameters lora, String name) throws Exception {
    List<Example> examples = examples(4, 12);
    Packing data = new Packing(examples, ROWS, 0, 32, false, 1);
    try (Trainer trainer = new Trainer(model, lora, options(30))) {
      double before = trainer.evaluate(data);
      var _ = trainer.train(data, Optional.empty(), TrainingListener.NONE);
      double after = trainer.evaluate(data);
      assertThat(after).isLessThan(before - 1);
      Path file = folder.resolve(name + ".gguf");
      AdapterFile.write(lora.adapter(model, name, trainer::values, Map.of()), DType.F32, file);
      Adapter read = AdapterFile.read(file);
      assertThat(loss(model, examples, List.of(new AdapterUse(read, 1))))
          .isCloseTo(after, within(0.02));
      return (LoraAdapter) read;
    }
  }
}
