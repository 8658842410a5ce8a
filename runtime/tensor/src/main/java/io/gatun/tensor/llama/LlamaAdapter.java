package io.gatun.tensor.llama;

import java.lang.foreign.MemorySegment;

/** A LoRA in libllama; it dies with its model. */
public final class LlamaAdapter {
  private final MemorySegment handle;

  LlamaAdapter(MemorySegment handle) {
    this.handle = handle;
  }

  MemorySegment handle() {
    return handle;
  }
}
