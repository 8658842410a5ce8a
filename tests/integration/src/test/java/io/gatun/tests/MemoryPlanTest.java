package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.model.LoadOptions;
import io.gatun.model.LoadOptions.Repacking;
import io.gatun.model.MemoryPlan;
import io.gatun.model.Model;
import io.gatun.model.gguf.GgufFile;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.DType;
import io.gatun.tensor.Placement;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryPlanTest {
  private static final long GIB = 1L << 30;

  @TempDir Path folder;

  @Test
  void what_does_not_fit_is_refused_with_figures() {
    MemoryPlan copies = new MemoryPlan(GIB, 9 * GIB, 9 * GIB, 0, 1024, 8 * GIB, 16 * GIB);
    assertThatThrownBy(() -> copies.requireWeights("m.gguf"))
        .isInstanceOf(CapacityException.class)
        .hasMessageContaining("9.0 GiB")
        .hasMessageContaining("8.0 GiB")
        .hasMessageContaining("--no-repack");
    MemoryPlan mapped = new MemoryPlan(20 * GIB, 0, 0, 0, 1024, 8 * GIB, 16 * GIB);
    assertThatThrownBy(() -> mapped.requireWeights("m.gguf"))
        .isInstanceOf(CapacityException.class)
        .hasMessageContaining("20.0 GiB")
        .hasMessageContaining("--ignore-memory");
    MemoryPlan fits = new MemoryPlan(9 * GIB, GIB, GIB, 0, 1024, 8 * GIB, 16 * GIB);
    assertThatCode(() -> fits.requireWeights("m.gguf")).doesNotThrowAnyException();
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
        assertThat(model.bytesRepacked() > 0).isEqualTo(repacking != Repacking.NONE);
        assertThat(model.summary()).contains("mapped").contains("rearranged");
      }
    }
  }

  @Test
  void bytes_are_shown_for_people() {
    assertThat(MemoryPlan.show(0)).isEqualTo("0 B");
    assertThat(MemoryPlan.show(1023)).isEqualTo("1023 B");
    assertThat(MemoryPlan.show(1536)).isEqualTo("1.5 KiB");
    assertThat(MemoryPlan.show(3 * GIB / 2)).isEqualTo("1.5 GiB");
  }
}
