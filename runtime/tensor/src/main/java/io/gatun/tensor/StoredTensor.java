package io.gatun.tensor;

import java.lang.foreign.MemorySegment;

/**
 * A tensor whose numbers live in a {@link TensorStore}: a weight, or a piece of KV cache. Graphs
 * refer to it; it dies with its store.
 */
public final class StoredTensor {
  private final String name;
  private final Layout layout;
  private final Placement placement;
  private final MemorySegment handle;

  StoredTensor(String name, Layout layout, Placement placement, MemorySegment handle) {
    this.name = name;
    this.layout = layout;
    this.placement = placement;
    this.handle = handle;
  }

  public String name() {
    return name;
  }

  public Layout layout() {
    return layout;
  }

  public Shape shape() {
    return layout.shape();
  }

  public DType type() {
    return layout.type();
  }

  /** Where the numbers are. */
  public Placement placement() {
    return placement;
  }

  /** The {@code ggml_tensor}; using it after the store is closed throws. */
  MemorySegment handle() {
    return handle;
  }

  @Override
  public String toString() {
    return name + " " + layout;
  }
}
