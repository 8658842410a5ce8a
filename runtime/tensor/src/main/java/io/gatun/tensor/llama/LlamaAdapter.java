package io.gatun.tensor.llama;

import io.gatun.bindings.ggml.Llama;
import java.lang.foreign.MemorySegment;

/**
 * A LoRA in libllama; it dies with its model, if not before.
 *
 * @owner the thread of the contexts that use it; close it when none does
 */
public final class LlamaAdapter implements AutoCloseable {
  private final MemorySegment handle;
  private boolean closed;

  LlamaAdapter(MemorySegment handle) {
    this.handle = handle;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      Llama.llama_adapter_lora_free(handle);
    }
  }

  MemorySegment handle() {
    if (closed) {
      throw new IllegalStateException("already closed: adapter");
    }
    return handle;
  }
}
