package io.gatun.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.bindings.NativeLibraries;
import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.ggml_init_params;
import io.gatun.bindings.ggml.ggml_tensor;
import java.io.File;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A GGML assertion on one of GGML's own threads, which nobody in Java has ever seen. */
class WorkerAssertionTest {
  /** In a JVM of its own: the thread that waits for the one that failed spins until the end. */
  @Test
  @Timeout(120)
  void an_assertion_on_a_worker_fails_whoever_computes_and_not_the_process() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path"))
                    .replace("\n", File.pathSeparator),
                WorkerAssertionTest.class.getName())
            .redirectErrorStream(true)
            .start();
    process.getOutputStream().close();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(out).contains("lived on");
    assertThat(process.exitValue()).isZero();
  }

  /** What happens in the other JVM. */
  public static void main(String[] args) {
    var _ = NativeLibraries.load();
    NativeThread thread = new NativeThread("computing");
    assertThat(thread.<Boolean>call(() -> selects(3))).isTrue();
    assertThatThrownBy(() -> thread.call(() -> selects(99)))
        .isInstanceOf(NativeException.class)
        .hasMessageContaining("computing is dead")
        .hasMessageContaining("GGML_ASSERT");
    NativeThread other = new NativeThread("other");
    assertThat(other.<Boolean>call(() -> selects(3))).isTrue();
    System.out.println("lived on");
    Runtime.getRuntime().halt(0); // the dead thread's pool never ends
  }

  /**
   * Selects rows of a table of 4 with two threads, past Gatun's own check of the indices; the
   * second thread does the second half of them.
   */
  private static boolean selects(int last) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment params = ggml_init_params.allocate(arena);
      ggml_init_params.mem_size(params, 1 << 20);
      ggml_init_params.no_alloc(params, false);
      MemorySegment ctx = Ggml.ggml_init(params);
      MemorySegment table = Ggml.ggml_new_tensor_2d(ctx, Ggml.GGML_TYPE_F32(), 8, 4);
      MemorySegment indices = Ggml.ggml_new_tensor_1d(ctx, Ggml.GGML_TYPE_I32(), 64);
      ggml_tensor
          .data(table.reinterpret(ggml_tensor.sizeof()))
          .reinterpret(4 * 8 * 4)
          .fill((byte) 0);
      MemorySegment values = ggml_tensor.data(indices.reinterpret(ggml_tensor.sizeof()));
      values.reinterpret(4 * 64).fill((byte) 0);
      values.reinterpret(4 * 64).setAtIndex(ValueLayout.JAVA_INT, 63, last);
      MemorySegment graph = Ggml.ggml_new_graph_custom(ctx, 16, false);
      MemorySegment rows = Ggml.ggml_get_rows(ctx, table, indices);
      // A selection alone would be given one thread.
      Ggml.ggml_build_forward_expand(graph, Ggml.ggml_add(ctx, rows, rows));
      try (Backend backend = Backend.cpu(2, Kernels.own())) {
        return backend.compute(graph, null);
      } finally {
        Ggml.ggml_free(ctx);
      }
    }
  }
}
