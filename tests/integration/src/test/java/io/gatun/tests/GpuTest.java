package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.tensor.DType;
import io.gatun.tensor.Device;
import io.gatun.tensor.Placement;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs where an accelerator's libraries are staged and it has a device; skips elsewhere. */
class GpuTest {
  @TempDir Path folder;

  @BeforeAll
  static void needsGpu() {
    assumeFalse(Device.gpus().isEmpty(), "skipped: there is no GPU that GGML can use");
  }

  @Test
  void layers_on_a_gpu_compute_what_the_cpu_computes() throws Exception {
    for (ModelShape shape :
        List.of(
            ModelShape.tiny("llama"),
            ModelShape.tiny("qwen3").withTied(),
            ModelShape.tiny("gemma3").withTied().with("attention.sliding_window", 16),
            ModelShape.tiny("qwen3moe").withExperts(8, 2))) {
      Path file =
          MadeModel.write(folder.resolve(shape.architecture() + ".gguf"), shape, DType.Q8_0, 1);
      List<float[]> cpu = logits(file, 0);
      for (int layers : new int[] {2, 99}) {
        List<float[]> gpu = logits(file, layers);
        assertThat(gpu).hasSameSizeAs(cpu);
        for (int row = 0; row < cpu.size(); row++) {
          assertThat(relativeError(gpu.get(row), cpu.get(row)))
              .as("%s, %d layers, row %d", shape.architecture(), layers, row)
              .isLessThan(0.15);
        }
      }
    }
  }

  @Test
  void the_plan_says_what_goes_where() throws Exception {
    Path file = MadeModel.write(folder.resolve("m.gguf"), ModelShape.tiny("llama"), DType.Q8_0, 1);
    try (Model model = Model.load(file, LoadOptions.defaults().withGpuLayers(3))) {
      assertThat(model.devices().onGpu()).isEqualTo(3);
      assertThat(model.weights().find("blk.0.attn_q.weight").orElseThrow().placement())
          .isNotEqualTo(Placement.DEVICE);
      assertThat(model.weights().find("blk.3.attn_q.weight").orElseThrow().placement())
          .isEqualTo(Placement.DEVICE);
      assertThat(model.weights().find("output.weight").orElseThrow().placement())
          .isEqualTo(Placement.DEVICE);
      assertThat(model.memoryPlan().device())
          .isEqualTo(model.weights().bytes().get(Placement.DEVICE));
    }
  }

  /**
   * GPUs compute in half precision where CPUs do not; a router may even choose another expert. A
   * wrong graph would be off by about 1.
   */
  private static double relativeError(float[] found, float[] expected) {
    double error = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      error += (found[i] - expected[i]) * (found[i] - expected[i]);
      size += expected[i] * expected[i];
    }
    return Math.sqrt(error / size);
  }

  /** Decodes along a fixed text, so that rounding cannot lead the two sides apart. */
  private static List<float[]> logits(Path file, int gpuLayers) throws Exception {
    List<float[]> rows = new ArrayList<>();
    try (Model model = Model.load(file, LoadOptions.defaults().withGpuLayers(gpuLayers));
        Engine engine = Engine.open(model, EngineOptions.defaults().withContextTokens(512))) {
      for (int length : new int[] {30, 31, 32, 300}) {
        int[] prompt = new int[length];
        Arrays.setAll(prompt, i -> i * 37 % 300);
        var _ =
            engine
                .submit(
                    GenerateRequest.of(prompt)
                        .withLimits(new GenerateRequest.Limits(1, true, Set.of()))
                        .withObserver((_, row, count) -> rows.add(Arrays.copyOf(row, count))))
                .finishReason();
      }
    }
    return rows;
  }
}
