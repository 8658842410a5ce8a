package io.gatun.model;

import io.gatun.tensor.DType;
import io.gatun.tensor.Device;
import io.gatun.tensor.Layout;
import io.gatun.tensor.Shape;
import io.gatun.tensor.StoredTensor;
import io.gatun.tensor.TensorStore;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The memory of a KV cache: per layer keys [D·G, cells] and values [D·G, cells]. Layers with a
 * window may have fewer cells. Which cell belongs to whom is the engine's knowledge.
 *
 * @owner the engine that made it
 */
public final class KvStore implements AutoCloseable {
  private final TensorStore store;
  private final Hyperparams h;
  private final KvSize size;

  private KvStore(TensorStore store, Hyperparams h, KvSize size) {
    this.store = store;
    this.h = h;
    this.size = size;
  }

  /**
   * Allocates a zeroed cache; each layer lies on the device that computes it.
   *
   * @throws UnsupportedModelException when the model's heads are no whole blocks of a type
   */
  public static KvStore allocate(
      Hyperparams h, KvSize size, KvTypes types, IntFunction<Device> deviceOfLayer) {
    types.require(h);
    int layers = h.layerCount();
    try (TensorStore.Builder builder = TensorStore.builder("KV cache")) {
      for (int layer = 0; layer < layers; layer++) {
        Device device = deviceOfLayer.apply(layer);
        int cells = slides(h, layer) ? size.windowed() : size.cells();
        builder.zeroed(
            "cache_k." + layer,
            layout(types.keys(layer, layers), h.kvHeadCount() * h.headDim(), cells),
            device);
        builder.zeroed(
            "cache_v." + layer,
            layout(types.values(layer, layers), h.kvHeadCount() * h.valueDim(), cells),
            device);
      }
      List<Integer> turns = turns(h, types);
      for (int block : turns) {
        Layout matrix = Layout.dense(DType.F32, Shape.of(block, block));
        builder.zeroed(turn(block), matrix, deviceOfLayer.apply(0));
      }
      KvStore made = new KvStore(builder.build(), h, size);
      turns.forEach(made::writeTurn);
      return made;
    }
  }

  /** Bytes of a cache. */
  public static long bytes(Hyperparams h, KvSize size, KvTypes types) {
    long sum = 0;
    for (int layer = 0; layer < h.layerCount(); layer++) {
      long keys = types.keys(layer, h.layerCount()).rowBytes((long) h.kvHeadCount() * h.headDim());
      long values =
          types.values(layer, h.layerCount()).rowBytes((long) h.kvHeadCount() * h.valueDim());
      sum += (keys + values) * (slides(h, layer) ? size.windowed() : size.cells());
    }
    return sum;
  }

  /** Whether a layer sees only the last tokens. */
  public static boolean slides(Hyperparams h, int layer) {
    return h.slidingWindow() > 0
        && Architectures.find(h.architecture()).map(a -> a.sliding(h, layer)).orElse(false);
  }

  /** Whether some layer sees only the last tokens. */
  public static boolean slides(Hyperparams h) {
    return IntStream.range(0, h.layerCount()).anyMatch(layer -> slides(h, layer));
  }

  public KvSize size() {
    return size;
  }

  public int layers() {
    return h.layerCount();
  }

  /** Whether a layer sees only the last tokens. */
  public boolean slides(int layer) {
    return slides(h, layer);
  }

  /** Whether a layer's cells are those of layers with a window. */
  public boolean windowed(int layer) {
    return size.split() && slides(h, layer);
  }

  /**
   * Puts keys and values that were not computed into a cell.
   *
   * @param keys [D·G]
   * @param values [D·G]
   */
  public void put(int layer, int cell, float[] keys, float[] values) {
    put(keys(layer), cell, keys, h.headDim());
    put(values(layer), cell, values, h.valueDim());
  }

  private void put(StoredTensor cache, int cell, float[] row, int headDim) {
    int block = KvTypes.turned(cache.type(), headDim);
    float[] stored = block == 1 ? row : Hadamard.turned(row, block);
    store.writeRow(cache, cell, stored);
  }

  /**
   * The matrix [B, B] by which a side's heads are turned, B values at a time; none for most types.
   */
  Optional<StoredTensor> turn(DType type, int headDim) {
    int block = KvTypes.turned(type, headDim);
    return block == 1 ? Optional.empty() : store.find(turn(block));
  }

  /** How many values are turned together on one side or the other. */
  private static List<Integer> turns(Hyperparams h, KvTypes types) {
    int keys = KvTypes.turned(types.keys(), h.headDim());
    int values = KvTypes.turned(types.values(), h.valueDim());
    return Stream.of(keys, values).filter(block -> block > 1).distinct().toList();
  }

  private static String turn(int block) {
    return "hadamard." + block;
  }

  private void writeTurn(int block) {
    store.write(store.find(turn(block)).orElseThrow(), 0, Hadamard.matrix(block));
  }

  /**
   * Copies keys and values from cells to others, in all layers of a kind.
   *
   * @param windowed which kind
   */
  public void copy(boolean windowed, int[] from, int[] to) {
    for (int layer = 0; layer < h.layerCount(); layer++) {
      if (windowed(layer) == windowed) {
        store.copyRows(keys(layer), from, to);
        store.copyRows(values(layer), from, to);
      }
    }
  }

  /** The bytes of neighbouring cells of a layer: keys, then values, as they are stored. */
  public byte[] read(int layer, int cell, int count) {
    byte[] keys = store.readRows(keys(layer), cell, count);
    byte[] values = store.readRows(values(layer), cell, count);
    byte[] both = Arrays.copyOf(keys, keys.length + values.length);
    System.arraycopy(values, 0, both, keys.length, values.length);
    return both;
  }

  /** Puts back what {@link #read} gave, in other cells maybe. */
  public void write(int layer, int cell, int count, byte[] both) {
    int split = Math.toIntExact(count * keys(layer).layout().s1());
    store.writeRows(keys(layer), cell, Arrays.copyOf(both, split));
    store.writeRows(values(layer), cell, Arrays.copyOfRange(both, split, both.length));
  }

  /** Bytes of one cell in one layer. */
  public int cellBytes(int layer) {
    return Math.toIntExact(keys(layer).layout().s1() + values(layer).layout().s1());
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
