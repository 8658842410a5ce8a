package io.gatun.bindings;

import io.gatun.bindings.ggml.GatunKernels;
import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.Llama;
import io.gatun.bindings.ggml.NativeRelease;
import io.gatun.bindings.ggml.ggml_init_params;
import io.gatun.bindings.ggml.ggml_tensor;
import io.gatun.bindings.ggml.ggml_threadpool_params;
import io.gatun.bindings.ggml.ggml_type_traits;
import io.gatun.bindings.ggml.llama_batch;
import io.gatun.bindings.ggml.llama_chat_message;
import io.gatun.bindings.ggml.llama_context_params;
import io.gatun.bindings.ggml.llama_model_params;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Compares the loaded libraries with what the bindings were generated for: version, every bound
 * function, and the layout of structs, by reading back values that the native side wrote.
 */
final class AbiCheck {
  /** The ggml release that native/ggml/package.json pins. */
  static final String GGML_VERSION = NativeRelease.GGML_VERSION;

  private static final int SHOWN_MAX = 8;

  private AbiCheck() {}

  /** Every bound function must exist, because a missing one fails only at its first use. */
  static void checkSymbols(SymbolLookup ggml, SymbolLookup kernels) {
    List<String> missing = new ArrayList<>();
    missing(missing, "ggml.includes", ggml);
    missing(missing, "llama.includes", ggml);
    missing(missing, "gatun.includes", kernels);
    fail(missing);
  }

  /** The rest, once the CPU backend is loaded too. */
  static void check(String version) {
    List<String> wrong = new ArrayList<>();
    missing(wrong, "ggml-cpu.includes", NativeLibraries.cpuLookup());
    fail(wrong);
    expect(wrong, "ggml version", version, Ggml.ggml_version().getString(0));
    expect(
        wrong, "libgatun ABI", GatunKernels.GATUN_ABI_VERSION(), GatunKernels.gatun_abi_version());
    tensorLayout(wrong);
    kernelLayout(wrong);
    threadpoolLayout(wrong);
    typeTraits(wrong);
    modelDefaults(wrong);
    fail(wrong);
  }

  /** What only chat templates and decoding by libllama need, which most runs never do. */
  static void checkLlama() {
    List<String> wrong = new ArrayList<>();
    contextDefaults(wrong);
    batchLayout(wrong);
    chatLayout(wrong);
    fail(wrong);
  }

  private static void missing(List<String> missing, String list, SymbolLookup lookup) {
    try (InputStream in = AbiCheck.class.getResourceAsStream("/io/gatun/bindings/" + list)) {
      if (in == null) {
        throw new AssertionError("the jar lacks " + list);
      }
      new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))
          .lines()
          .filter(line -> line.startsWith("--include-function "))
          .map(line -> line.substring("--include-function ".length()))
          .filter(name -> lookup.find(name).isEmpty())
          .forEach(name -> missing.add("function " + name + " is missing"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A tensor with lengths that all differ, read back through the generated offsets. */
  private static void tensorLayout(List<String> wrong) {
    long overhead = Ggml.ggml_tensor_overhead();
    // GGML adds its object header of 32 bytes to the struct.
    expect(wrong, "sizeof(ggml_tensor)", ggml_tensor.sizeof() + 32, overhead);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment params = ggml_init_params.allocate(arena);
      ggml_init_params.mem_size(params, 4 * overhead);
      ggml_init_params.no_alloc(params, true);
      MemorySegment ctx = Ggml.ggml_init(params);
      try {
        MemorySegment tensor = Ggml.ggml_new_tensor_4d(ctx, Ggml.GGML_TYPE_F16(), 3, 5, 7, 11);
        MemorySegment _ = Ggml.ggml_set_name(tensor, arena.allocateFrom("abi"));
        tensor = tensor.reinterpret(ggml_tensor.sizeof());
        expect(wrong, "ggml_tensor.type", Ggml.GGML_TYPE_F16(), ggml_tensor.type(tensor));
        for (int axis = 0; axis < 4; axis++) {
          long[] lengths = {3, 5, 7, 11};
          long[] strides = {2, 6, 30, 210};
          expect(wrong, "ggml_tensor.ne", lengths[axis], ggml_tensor.ne(tensor, axis));
          expect(wrong, "ggml_tensor.nb", strides[axis], ggml_tensor.nb(tensor, axis));
        }
        expect(wrong, "ggml_tensor.name", "abi", ggml_tensor.name(tensor).getString(0));
        expect(wrong, "ggml_tensor.data", 0L, ggml_tensor.data(tensor).address());
        MemorySegment view =
            Ggml.ggml_view_1d(ctx, tensor, 4, 20).reinterpret(ggml_tensor.sizeof());
        expect(
            wrong, "ggml_tensor.view_src", tensor.address(), ggml_tensor.view_src(view).address());
        expect(wrong, "ggml_tensor.view_offs", 20L, ggml_tensor.view_offs(view));
        expect(
            wrong,
            "ggml_tensor.src",
            tensor.address(),
            ggml_tensor.src(view).getAtIndex(ValueLayout.ADDRESS, 0).address());
        bufferField(wrong, ctx, tensor);
      } finally {
        Ggml.ggml_free(ctx);
      }
    }
  }

  /** Set to nothing when graphs are placed anew, so it must not be another field. */
  private static void bufferField(List<String> wrong, MemorySegment ctx, MemorySegment tensor) {
    expect(wrong, "ggml_tensor.buffer", 0L, ggml_tensor.buffer(tensor).address());
    MemorySegment buffer =
        Ggml.ggml_backend_alloc_ctx_tensors_from_buft(ctx, Ggml.ggml_backend_cpu_buffer_type());
    expect(
        wrong,
        "ggml_tensor.buffer of a placed tensor",
        buffer.address(),
        ggml_tensor.buffer(tensor).address());
    expect(
        wrong,
        "ggml_tensor.data of a placed tensor is set",
        true,
        ggml_tensor.data(tensor).address() != 0);
    Ggml.ggml_backend_buffer_free(buffer);
  }

  /** Our kernels read tensors through a copy of the struct. */
  private static void kernelLayout(List<String> wrong) {
    long[] offsets = {
      ggml_tensor.type$offset(),
      ggml_tensor.ne$offset(),
      ggml_tensor.nb$offset(),
      ggml_tensor.op_params$offset(),
      ggml_tensor.src$offset(),
      ggml_tensor.data$offset()
    };
    for (int field = 0; field < offsets.length; field++) {
      String what = "libgatun's offset of ggml_tensor field " + field;
      expect(wrong, what, offsets[field], GatunKernels.gatun_tensor_offset(field));
    }
  }

  private static void threadpoolLayout(List<String> wrong) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment params = ggml_threadpool_params.allocate(arena);
      Ggml.ggml_threadpool_params_init(params, 7);
      expect(
          wrong, "ggml_threadpool_params.n_threads", 7, ggml_threadpool_params.n_threads(params));
      expect(wrong, "ggml_threadpool_params.poll", 50, ggml_threadpool_params.poll(params));
    }
  }

  private static void typeTraits(List<String> wrong) {
    MemorySegment q4k =
        Ggml.ggml_get_type_traits(Ggml.GGML_TYPE_Q4_K()).reinterpret(ggml_type_traits.sizeof());
    expect(wrong, "ggml_type_traits.blck_size", 256L, ggml_type_traits.blck_size(q4k));
    expect(wrong, "ggml_type_traits.type_size", 144L, ggml_type_traits.type_size(q4k));
  }

  /** Documented defaults at both ends of the struct. */
  private static void modelDefaults(List<String> wrong) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment model = Llama.llama_model_default_params(arena);
      expect(wrong, "llama_model_params.vocab_only", false, llama_model_params.vocab_only(model));
      expect(
          wrong,
          "llama_model_params.use_extra_bufts",
          true,
          llama_model_params.use_extra_bufts(model));
    }
  }

  /** The documented default of every field that is written, and some at both ends. */
  private static void contextDefaults(List<String> wrong) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment p = Llama.llama_context_default_params(arena);
      String name = "llama_context_params.";
      expect(wrong, name + "n_ctx", 512, llama_context_params.n_ctx(p));
      expect(wrong, name + "n_batch", 2048, llama_context_params.n_batch(p));
      expect(wrong, name + "n_ubatch", 512, llama_context_params.n_ubatch(p));
      expect(wrong, name + "n_seq_max", 1, llama_context_params.n_seq_max(p));
      expect(wrong, name + "n_threads", 4, llama_context_params.n_threads(p));
      expect(wrong, name + "n_threads_batch", 4, llama_context_params.n_threads_batch(p));
      expect(
          wrong,
          name + "flash_attn_type",
          Llama.LLAMA_FLASH_ATTN_TYPE_AUTO(),
          llama_context_params.flash_attn_type(p));
      expect(wrong, name + "type_k", Ggml.GGML_TYPE_F16(), llama_context_params.type_k(p));
      expect(wrong, name + "offload_kqv", true, llama_context_params.offload_kqv(p));
      expect(wrong, name + "no_perf", true, llama_context_params.no_perf(p));
      expect(wrong, name + "kv_unified", false, llama_context_params.kv_unified(p));
    }
  }

  /** Passed by value: whether the fields that are pointers are so, and the others not. */
  private static void batchLayout(List<String> wrong) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment batch = Llama.llama_batch_init(arena, 3, 0, 2);
      expect(wrong, "llama_batch.n_tokens", 0, llama_batch.n_tokens(batch));
      expect(wrong, "llama_batch.embd", 0L, llama_batch.embd(batch).address());
      long[] arrays = {
        llama_batch.token(batch).address(),
        llama_batch.pos(batch).address(),
        llama_batch.n_seq_id(batch).address(),
        llama_batch.seq_id(batch).address(),
        llama_batch.logits(batch).address()
      };
      long different = Arrays.stream(arrays).filter(a -> a != 0).distinct().count();
      expect(wrong, "number of arrays of llama_batch", (long) arrays.length, different);
      if (wrong.isEmpty()) {
        // An end mark behind the lists of sequences tells which of the arrays they are.
        MemorySegment lists = llama_batch.seq_id(batch).reinterpret(4 * 8);
        expect(
            wrong,
            "end of llama_batch.seq_id",
            0L,
            lists.getAtIndex(ValueLayout.ADDRESS, 3).address());
        expect(
            wrong,
            "llama_batch.seq_id is set",
            true,
            lists.getAtIndex(ValueLayout.ADDRESS, 2).address() != 0);
        Llama.llama_batch_free(batch);
      }
    }
  }

  /** Written by us and read by libllama: what it makes of a message shows what it read. */
  private static void chatLayout(List<String> wrong) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment message = llama_chat_message.allocate(arena);
      llama_chat_message.role(message, arena.allocateFrom("user"));
      llama_chat_message.content(message, arena.allocateFrom("abi"));
      MemorySegment out = arena.allocate(256);
      int length =
          Llama.llama_chat_apply_template(
              arena.allocateFrom("chatml"), message, 1, false, out, 255);
      String expected = "<|im_start|>user\nabi<|im_end|>\n";
      expect(wrong, "a message in ChatML", expected, length < 0 ? "refused" : out.getString(0));
    }
  }

  private static void expect(List<String> wrong, String what, Object expected, Object actual) {
    if (!expected.equals(actual)) {
      wrong.add("%s is %s, expected %s".formatted(what, actual, expected));
    }
  }

  private static void fail(List<String> wrong) {
    if (!wrong.isEmpty()) {
      throw new NativeLoadException(
          "the native libraries are not the ones these bindings were made for (ggml %s): %s. Use the gatun-natives jar of the same version as the other Gatun jars, or regenerate the bindings (scripts/generate-bindings)."
              .formatted(GGML_VERSION, String.join("; ", shown(wrong))));
    }
  }

  /** Libraries of something else altogether lack hundreds of functions. */
  private static List<String> shown(List<String> wrong) {
    if (wrong.size() <= SHOWN_MAX) {
      return wrong;
    }
    List<String> some = new ArrayList<>(wrong.subList(0, SHOWN_MAX));
    some.add("and %d more differences".formatted(wrong.size() - SHOWN_MAX));
    return some;
  }
}
