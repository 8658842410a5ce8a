package io.gatun.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.bindings.ggml.Ggml;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.tensor.DType;
import io.gatun.tensor.NativeException;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class DeadEngineTest {
  @TempDir Path folder;

  @Test
  @Timeout(60)
  void an_engine_that_ggml_stopped_says_so_and_another_one_works() throws Exception {
    Path file = MadeModel.write(folder.resolve("m.gguf"), ModelShape.tiny("llama"), DType.F32, 1);
    try (Model model = Model.load(file, LoadOptions.defaults())) {
      Engine engine =
          Engine.open(model, EngineOptions.defaults().withContextTokens(256).withThreads(1));
      Generation running =
          engine.submit(GenerateRequest.of(1, 2, 3).withObserver((_, _, _) -> failAnAssertion()));

      assertThatThrownBy(running::finishReason)
          .isInstanceOf(NativeException.class)
          .hasMessageContaining("GGML stopped on an assertion")
          .hasMessageContaining("load it again");
      assertThatThrownBy(running::next).isInstanceOf(NativeException.class);
      assertThatThrownBy(() -> engine.submit(GenerateRequest.of(1)))
          .isInstanceOf(NativeException.class);
      engine.close();

      try (Engine next = Engine.open(model, EngineOptions.defaults().withContextTokens(256))) {
        assertThat(next.submit(GenerateRequest.of(1, 2).withMaxTokens(3)).finishReason())
            .isNotNull();
      }
    }
  }

  private static void failAnAssertion() {
    var _ = Ggml.ggml_new_tensor_1d(MemorySegment.NULL, 9999, 1);
  }
}
