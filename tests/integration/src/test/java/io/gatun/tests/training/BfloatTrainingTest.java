package io.gatun.tests.training;

import static io.gatun.tests.training.SmallTraining.model;
import static io.gatun.tests.training.SmallTraining.onStep;
import static io.gatun.tests.training.SmallTraining.options;
import static io.gatun.tests.training.SmallTraining.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gatun.adapters.training.FullParameters;
import io.gatun.adapters.training.LoraParameters;
import io.gatun.adapters.training.Packing;
import io.gatun.adapters.training.Parameters;
import io.gatun.adapters.training.Trainer;
import io.gatun.adapters.training.TrainerOptions;
import io.gatun.adapters.training.TrainerOptions.Compute;
import io.gatun.adapters.training.TrainerOptions.Recompute;
import io.gatun.model.Model;
import io.gatun.tensor.DType;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Training whose products round to BF16. */
@Timeout(120)
class BfloatTrainingTest {
  @TempDir Path folder;

  static Stream<ModelShape> shapes() {
    return Stream.of(ModelShape.tiny("llama"), ModelShape.tiny("qwen3moe").withExperts(4, 2));
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void it_learns_as_in_f32_but_for_rounding(ModelShape shape) throws Exception {
    try (Model model = model(folder, shape, DType.F32)) {
      List<Float> exact = losses(model, FullParameters.all(), options(40));
      List<Float> rounded =
          losses(model, FullParameters.all(), options(40).withCompute(Compute.BF16));
      assertThat(rounded.getLast()).isLessThan(exact.getFirst() / 2);
      for (int step = 0; step < 4; step++) {
        assertThat(rounded.get(step)).isCloseTo(exact.get(step), within(0.03f * exact.getFirst()));
      }
      assertThat(rounded).isNotEqualTo(exact);
    }
  }

  @Test
  void neither_recomputing_nor_threads_change_a_bit() throws Exception {
    try (Model model = model(folder, ModelShape.tiny("llama"), DType.F32)) {
      TrainerOptions bfloats = options(3).withCompute(Compute.BF16);
      List<Float> kept = losses(model, FullParameters.all(), bfloats);
      assertThat(losses(model, FullParameters.all(), bfloats.withRecompute(Recompute.LAYERS)))
          .isEqualTo(kept);
      assertThat(losses(model, FullParameters.all(), bfloats.withThreads(2))).isEqualTo(kept);
    }
  }

  @Test
  void a_lora_of_quantised_weights_learns() throws Exception {
    try (Model model = model(folder, ModelShape.tiny("llama"), DType.Q4_0)) {
      List<Float> losses =
          losses(model, LoraParameters.ofRank(4), options(20).withCompute(Compute.BF16));
      assertThat(losses.getLast()).isLessThan(0.8f * losses.getFirst());
    }
  }

  @Test
  void a_snapshot_of_other_numbers_is_refused() throws Exception {
    Path file = folder.resolve("snapshot");
    try (Model model = model(folder, ModelShape.tiny("llama"), DType.F32)) {
      TrainerOptions exact = options(2).withSnapshots(file, 1);
      var _ = losses(model, FullParameters.all(), exact);
      assertThatThrownBy(() -> losses(model, FullParameters.all(), exact.withCompute(Compute.BF16)))
          .hasMessageContaining("snapshot");
    }
  }

  private static List<Float> losses(Model model, Parameters parameters, TrainerOptions options)
      throws Exception {
    List<Float> losses = new ArrayList<>();
    Packing data = text(3, 20);
    try (Trainer trainer = new Trainer(model, parameters, options)) {
      var _ =
          trainer.train(data, Optional.empty(), onStep(step -> losses.add((float) step.loss())));
    }
    return losses;
  }
}
