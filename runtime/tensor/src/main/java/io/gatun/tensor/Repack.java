package io.gatun.tensor;

import io.gatun.bindings.ggml.Ggml;
import io.gatun.bindings.ggml.ggml_backend_dev_get_extra_bufts_t;
import io.gatun.bindings.ggml.ggml_init_params;
import io.gatun.bindings.ggml.ggml_tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds the buffer type in which the CPU backend keeps a weight rearranged for its faster matrix
 * products (GGML's extra buffer types), the same choice that libllama makes.
 *
 * @source llama.cpp v0.4.0, src/llama-model-loader.cpp, {@code weight_buft_supported}
 */
final class Repack {
  private Repack() {}

  /** The first extra buffer type that can multiply with such a weight; empty when none can. */
  static Optional<MemorySegment> bufferTypeFor(Layout weight, int expertsPerToken) {
    for (MemorySegment type : extraBufferTypes()) {
      if (multiplies(Device.cpu(), type, weight, expertsPerToken)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  private static List<MemorySegment> extraBufferTypes() {
    MemorySegment cpu = Device.cpu().handle();
    List<MemorySegment> types = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment function =
          Ggml.ggml_backend_reg_get_proc_address(
              Ggml.ggml_backend_dev_backend_reg(cpu),
              arena.allocateFrom("ggml_backend_dev_get_extra_bufts"));
      if (function.equals(MemorySegment.NULL)) {
        return types;
      }
      MemorySegment list = ggml_backend_dev_get_extra_bufts_t.invoke(function, cpu);
      if (list.equals(MemorySegment.NULL)) {
        return types;
      }
      // A NULL-terminated array of static lifetime inside the library.
      list = list.reinterpret(64 * ValueLayout.ADDRESS.byteSize());
      for (int i = 0; i < 64; i++) {
        MemorySegment type = list.getAtIndex(ValueLayout.ADDRESS, i);
        if (type.equals(MemorySegment.NULL)) {
          break;
        }
        types.add(type);
      }
    }
    return types;
  }

  /** Whether a device can multiply with a weight that lies in a buffer of a given type. */
  static boolean multiplies(
      Device device, MemorySegment bufferType, Layout weight, int expertsPerToken) {
    Shape s = weight.shape();
    boolean experts = s.d2() > 1;
    int perToken = Math.max(1, expertsPerToken);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment params = ggml_init_params.allocate(arena);
      ggml_init_params.mem_size(params, 8 * Ggml.ggml_tensor_overhead());
      ggml_init_params.no_alloc(params, true);
      MemorySegment ctx = Ggml.ggml_init(params);
      MemorySegment buffer = Ggml.ggml_backend_buft_alloc_buffer(bufferType, 0);
      try {
        MemorySegment w =
            Ggml.ggml_new_tensor_4d(ctx, weight.type().id(), s.d0(), s.d1(), s.d2(), s.d3());
        MemorySegment product;
        if (experts) {
          MemorySegment x =
              Ggml.ggml_new_tensor_3d(ctx, Ggml.GGML_TYPE_F32(), s.d0(), perToken, 512);
          MemorySegment ids = Ggml.ggml_new_tensor_2d(ctx, Ggml.GGML_TYPE_I32(), perToken, 512);
          product = Ggml.ggml_mul_mat_id(ctx, w, x, ids);
        } else {
          MemorySegment x =
              Ggml.ggml_new_tensor_4d(ctx, Ggml.GGML_TYPE_F32(), s.d0(), 512, s.d2(), s.d3());
          product = Ggml.ggml_mul_mat(ctx, w, x);
        }
        ggml_tensor.buffer(w.reinterpret(ggml_tensor.sizeof()), buffer);
        return Ggml.ggml_backend_dev_supports_op(device.handle(), product);
      } finally {
        Ggml.ggml_backend_buffer_free(buffer);
        Ggml.ggml_free(ctx);
      }
    }
  }
}
