package io.gatun.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.ggml_init_params;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class NativeLibrariesTest {
  @Test
  void the_libraries_of_the_natives_jar_load_and_pass_the_abi_check() {
    assertThat(NativeLibraries.load()).isDirectory();
    assertThat(Ggml.ggml_version().getString(0)).isEqualTo(AbiCheck.GGML_VERSION);
    assertThat(NativeLibraries.cpuLookup().find("ggml_threadpool_new")).isPresent();
  }

  @Test
  void libraries_of_another_release_are_refused_in_one_message() {
    var _ = NativeLibraries.load();
    assertThatThrownBy(() -> AbiCheck.check("9.9.9"))
        .isInstanceOf(NativeLoadException.class)
        .hasMessageContaining("ggml version is " + AbiCheck.GGML_VERSION + ", expected 9.9.9")
        .hasMessageContaining("gatun-natives jar of the same version")
        .hasMessageContaining("scripts/generate-bindings");
  }

  @Test
  void every_missing_function_is_named() {
    var _ = NativeLibraries.load();
    Set<String> gone = Set.of("ggml_mul_mat", "llama_tokenize");
    SymbolLookup ggml =
        name -> gone.contains(name) ? Optional.empty() : NativeLibraries.ggmlLookup().find(name);
    assertThatThrownBy(() -> AbiCheck.checkSymbols(ggml, NativeLibraries.kernelLookup()))
        .isInstanceOf(NativeLoadException.class)
        .hasMessageContaining("function ggml_mul_mat is missing")
        .hasMessageContaining("function llama_tokenize is missing")
        .hasMessageNotContaining("function ggml_add is");
    assertThatThrownBy(() -> AbiCheck.checkSymbols(_ -> Optional.empty(), ggml))
        .isInstanceOf(NativeLoadException.class)
        .hasMessageContaining("more differences");
    AbiCheck.checkSymbols(NativeLibraries.ggmlLookup(), NativeLibraries.kernelLookup());
  }

  @Test
  void what_only_libllama_decoding_needs_is_checked_too() {
    assertThatCode(NativeLibraries::loadForLlama).doesNotThrowAnyException();
  }

  @Test
  void a_failed_ggml_assertion_is_reported_and_the_process_lives_on() throws Exception {
    NativeLibraries.load();
    CompletableFuture<String> message = new CompletableFuture<>();
    Thread doomed =
        new Thread(
            () -> {
              AbortTrap.own(message::complete);
              multiplyWrongShapes();
            },
            "doomed");
    doomed.setDaemon(true);
    doomed.start();

    assertThat(message.get(30, TimeUnit.SECONDS)).contains("GGML_ASSERT");
    assertThat(Ggml.ggml_type_size(Ggml.GGML_TYPE_Q4_0())).isEqualTo(18);
  }

  private static void multiplyWrongShapes() {
    MemorySegment params = ggml_init_params.allocate(Arena.global());
    ggml_init_params.mem_size(params, 1 << 16);
    ggml_init_params.no_alloc(params, true);
    MemorySegment ctx = Ggml.ggml_init(params);
    MemorySegment a = Ggml.ggml_new_tensor_2d(ctx, Ggml.GGML_TYPE_F32(), 3, 4);
    MemorySegment b = Ggml.ggml_new_tensor_2d(ctx, Ggml.GGML_TYPE_F32(), 5, 4);
    MemorySegment _ = Ggml.ggml_mul_mat(ctx, a, b);
  }
}
