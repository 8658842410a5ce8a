package io.gatun.model;

import io.gatun.tensor.DType;
import io.gatun.tensor.Device;
import io.gatun.tensor.Layout;
import io.gatun.tensor.Shape;
import io.gatun.tensor.StoredTensor;
import io.gatun.tensor.TensorStore;
import java.util.function.IntFunction;

/**
 * The memory of a KV cache: per layer keys [D·G, cells] and values [D·G, cells]. Which cell belongs
 * to whom is the engine's knowledge.
 *
 * @owner the engine that made it
 */
public final class KvStore implements AutoCloseable {
  private final TensorStore store;
  private final int cells;

  private KvStore(TensorStore store, int cells) {
    this.store = store;
    this.cells = cells;
  }

  /** Allocates a zeroed cache; each layer lies on the device that computes it. */
  public static KvStore allocate(
      Hyperparams h, int cells, DType type, IntFunction<Device> deviceOfLayer) {
    try (TensorStore.Builder builder = TensorStore.builder("KV cache")) {
      for (int layer = 0; layer < h.layerCount(); layer++) {
        Device device = deviceOfLayer.apply(layer);
        builder.zeroed(
            "cache_k." + layer, layout(type, h.kvHeadCount() * h.headDim(), cells), device);
        builder.zeroed(
            "cache_v." + layer, layout(type, h.kvHeadCount() * h.valueDim(), cells), device);
      }
      return new KvStore(builder.build(), cells);
    }
  }

  /** Bytes of a cache. */
  public static long bytes(Hyperparams h, int cells, DType type) {
    long keys = type.rowBytes((long) h.kvHeadCount() * h.headDim());
    long values = type.rowBytes((long) h.kvHeadCount() * h.valueDim());
    return h.layerCount() * (keys + values) * cells;
  }

  public int cells() {
    return cells;
  }

  /** Empties every cell, so that what a mask hides is 0 and never NaN. */
  public void zero() {
    store.zero();
  }

  /**
   * Puts keys and values that were not computed into a cell.
   *
   * @param keys [D·G]
   * @param values [D·G]
   */
  public void put(int layer, int cell, float[] keys, float[] values) {
    store.write(keys(layer), (long) cell * keys.length, keys);
    store.write(values(layer), (long) cell * values.length, values);
  }

  StoredTensor keys(int layer) {
    return store.find("cache_k." + layer).orElseThrow();
  }

  StoredTensor values(int layer) {
    return store.find("cache_v." + layer).orElseThrow();
  }

  @Override
  public void close() {
    store.close();
  }

  private static Layout layout(DType type, int width, int cells) {
    return Layout.dense(type, Shape.of(width, cells));
  }
}
