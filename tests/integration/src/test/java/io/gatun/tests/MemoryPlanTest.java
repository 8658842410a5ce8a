package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.Gatun;
import io.gatun.LanguageModel;
import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.model.KvSize;
import io.gatun.model.LoadOptions;
import io.gatun.model.LoadOptions.Repacking;
import io.gatun.model.MemoryPlan;
import io.gatun.model.Model;
import io.gatun.model.gguf.GgufFile;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.DType;
import io.gatun.tensor.Kernels;
import io.gatun.tensor.Placement;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryPlanTest {
  private static final long GIB = 1L << 30;

  /** 1 MiB for each token of context, and for each row of a step. */
  private static final MemoryPlan.PerUse USE = new MemoryPlan.PerUse(1 << 20, 0, 1 << 20, 1024);

  @TempDir Path folder;

  @Test
  void what_does_not_fit_is_refused_with_figures() {
    MemoryPlan copies = plan(GIB, 9 * GIB, 8 * GIB, 16 * GIB);
    assertThatThrownBy(() -> copies.requireWeights("m.gguf"))
        .isInstanceOf(CapacityException.class)
        .hasMessageContaining("9.0 GiB")
        .hasMessageContaining("8.0 GiB")
        .hasMessageContaining("--no-repack");
    MemoryPlan mapped = plan(20 * GIB, 0, 8 * GIB, 16 * GIB);
    assertThatThrownBy(() -> mapped.requireWeights("m.gguf"))
        .isInstanceOf(CapacityException.class)
        .hasMessageContaining("20.0 GiB")
        .hasMessageContaining("--ignore-memory");
    MemoryPlan fits = plan(9 * GIB, GIB, 8 * GIB, 16 * GIB);
    assertThatCode(() -> fits.requireWeights("m.gguf")).doesNotThrowAnyException();
  }

  private static MemoryPlan plan(long mapped, long copies, long available, long total) {
    return new MemoryPlan(mapped, copies, copies, List.of(), USE, available, total);
  }

  @Test
  void weights_context_and_intermediate_values_are_looked_at_together() {
    MemoryPlan plan = plan(GIB, 5 * GIB, 8 * GIB, 16 * GIB);
    assertThatCode(() -> plan.require("m.gguf", KvSize.of(2048), 512)).doesNotThrowAnyException();
    // 1 MiB for each token: the cache would fit, and the weights would, but not both.
    assertThatThrownBy(() -> plan.require("m.gguf", KvSize.of(4096), 512))
        .isInstanceOf(CapacityException.class)
        .hasMessageContaining("4096 tokens")
        .hasMessageContaining("4.0 GiB for the KV cache")
        .hasMessageContaining("--context");
    assertThatThrownBy(() -> plan.require("m.gguf", KvSize.of(2560), 4096))
        .isInstanceOf(CapacityException.class)
        .hasMessageContaining("for computing");
  }

  @Test
  void a_gpu_is_asked_for_what_lies_on_it() {
    MemoryPlan.OnGpu small = new MemoryPlan.OnGpu("small", 2 * GIB, 1 << 19, 4 * GIB);
    MemoryPlan plan = new MemoryPlan(GIB, 0, 0, List.of(small), USE, 8 * GIB, 16 * GIB);
    assertThatCode(() -> plan.require("m.gguf", KvSize.of(2048), 512)).doesNotThrowAnyException();
    assertThatThrownBy(() -> plan.require("m.gguf", KvSize.of(4096), 512))
        .isInstanceOf(CapacityException.class)
        .hasMessageContaining("on small")
        .hasMessageContaining("2.0 GiB KV cache")
        .hasMessageContaining("--gpu-layers");
  }

  /** Before the weights are loaded, which may take minutes. */
  @Test
  void a_context_that_does_not_fit_is_refused_before_loading() {
    Path file =
        MadeModel.write(
            folder.resolve("m.gguf"), ModelShape.tiny("llama").withLayers(64), DType.Q4_0, 1);
    EngineOptions huge = EngineOptions.defaults().withContextTokens(1 << 24);
    assertThatThrownBy(() -> Gatun.load(file, LoadOptions.defaults(), huge))
        .isInstanceOf(CapacityException.class)
        .hasMessageContaining("--context")
        .satisfies(e ->
            assertThat(e.getStackTrace())
                .as("asked from inside of loading")
                .anyMatch(f -> f.getClassName().equals(Model.class.getName())));
  }

  /** The estimate is meant to be on the safe side, but not by much. */
  @Test
  void intermediate_values_are_about_what_was_estimated() throws Exception {
    for (ModelShape shape :
        List.of(
            ModelShape.tiny("llama"),
            ModelShape.tiny("gemma3").with("attention.sliding_window", 64),
            ModelShape.tiny("qwen3moe").withExperts(8, 2),
            ModelShape.latent())) {
      Path file = MadeModel.write(folder.resolve("c.gguf"), shape, DType.Q8_0, 1);
      int rows = 512;
      EngineOptions options =
          EngineOptions.defaults().withContextTokens(1024).withBatchRows(rows).withThreads(1);
      try (Model model = Model.load(file, LoadOptions.defaults());
          Engine engine = Engine.open(model, options)) {
        int[] prompt = new int[1000];
        var _ = engine.submit(GenerateRequest.of(prompt).withMaxTokens(1)).finishReason();
        long taken = engine.statistics().computeBytes();
        assertThat(model.memoryPlan().use().computeBytes(rows, 1024))
            .as(shape.architecture())
            .isBetween(taken * 8 / 10, taken * 4);
      }
    }
  }

  @Test
  void the_plan_is_what_loading_takes() throws Exception {
    Path file =
        MadeModel.write(
            folder.resolve("m.gguf"), ModelShape.tiny("llama").withTied(), DType.Q4_0, 1);
    for (Repacking repacking : Repacking.values()) {
      LoadOptions options = LoadOptions.defaults().withRepack(repacking).withGpuLayers(0);
      MemoryPlan plan = Model.plan(GgufFile.open(file), options);
      try (Model model = Model.load(file, options)) {
        var bytes = model.weights().bytes();
        assertThat(bytes.getOrDefault(Placement.MAPPED, 0L)).isEqualTo(plan.mapped());
        assertThat(
                bytes.getOrDefault(Placement.REPACKED, 0L) + bytes.getOrDefault(Placement.HOST, 0L))
            .isEqualTo(plan.privateCopies());
        // Weights that our own kernels multiply with stay as they are, unless all are asked for.
        boolean rearranged =
            repacking == Repacking.ALL
                || (repacking == Repacking.AUTO && !Kernels.own().multiplies(DType.Q4_0));
        assertThat(model.memoryPlan().rearranged() > 0).isEqualTo(rearranged);
        assertThat(model.summary()).contains("mapped").contains("rearranged");
      }
    }
  }

  @Test
  void weights_that_ggml_will_multiply_are_rearranged_for_it() throws Exception {
    Path file = MadeModel.write(folder.resolve("g.gguf"), ModelShape.tiny("llama"), DType.Q4_0, 1);
    EngineOptions ggml = EngineOptions.defaults().withKernels(Kernels.ggml());
    try (LanguageModel model = Gatun.load(file, LoadOptions.defaults().withGpuLayers(0), ggml)) {
      assertThat(model.model().memoryPlan().rearranged()).isPositive();
    }
    assertThat(Model.plan(GgufFile.open(file), LoadOptions.defaults().withKernels(Kernels.ggml())))
        .satisfies(plan -> assertThat(plan.privateCopies()).isPositive());
  }

  @Test
  void bytes_are_shown_for_people() {
    assertThat(MemoryPlan.show(0)).isEqualTo("0 B");
    assertThat(MemoryPlan.show(1023)).isEqualTo("1023 B");
    assertThat(MemoryPlan.show(1536)).isEqualTo("1.5 KiB");
    assertThat(MemoryPlan.show(3 * GIB / 2)).isEqualTo("1.5 GiB");
  }
}
