package io.gatun.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.tensor.DType;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class CancelTest {
  private static final int ROWS = 4096;

  @TempDir Path folder;

  /** The flag that GGML looks at between nodes, and not only Java between steps. */
  @Test
  @Timeout(120)
  void a_cancel_stops_the_step_that_is_being_computed() throws Exception {
    Path file = MadeModel.write(folder.resolve("m.gguf"), ModelShape.tiny("llama"), DType.F32, 1);
    EngineOptions options =
        EngineOptions.defaults().withContextTokens(ROWS).withBatchRows(ROWS).withThreads(1);
    try (Model model = Model.load(file, LoadOptions.defaults());
        Engine engine = Engine.open(model, options)) {
      int[] prompt = new int[ROWS];
      Arrays.fill(prompt, 5);
      Thread thread = engine.onThread(Thread::currentThread);
      Generation generation = engine.submit(GenerateRequest.of(prompt).withMaxTokens(1));
      while (!computes(thread)) {
        Thread.sleep(1);
      }
      generation.cancel();
      assertThat(generation.finishReason()).isEqualTo(FinishReason.CANCELLED);
      assertThat(engine.statistics().steps()).as("steps that were finished").isZero();
      assertThat(engine.statistics().computeNanos()).as("time inside GGML").isPositive();

      // The flag does not outlive what it was meant for.
      assertThat(engine.submit(GenerateRequest.of(1, 2).withMaxTokens(2)).finishReason())
          .isEqualTo(FinishReason.LENGTH);
    }
  }

  private static boolean computes(Thread thread) {
    return Arrays.stream(thread.getStackTrace())
        .anyMatch(f -> f.getMethodName().equals("ggml_backend_graph_compute"));
  }
}
