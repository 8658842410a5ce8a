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
 * The memory of a KV cache: per layer keys [D·G, cells] and values [D·G, cells], unless values are
 * the first numbers of keys. Layers with a window may have fewer cells. Which cell belongs to whom
 * is the engine's knowledge.
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
            "cache_k." + layer, layout(types.keys(layer, layers), h.keyWidth(), cells), device);
        if (!valuesInKeys(h)) {
          builder.zeroed(
              "cache_v." + layer,
              layout(types.values(layer, layers), h.valueWidth(), cells),
              device);
        }
      }
      List<Integer> turns = turns(h, types);
      for (int block : turns) {
        Layout matrix = Layout.dense(DType.F32, Shape.of(block, block));
        builder.zeroed(turnName(block), matrix, deviceOfLayer.apply(0));
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
      long keys = types.keys(layer, h.layerCount()).rowBytes(h.keyWidth());
      long values = types.values(layer, h.layerCount()).rowBytes(h.valueWidth());
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

  /** Whether values are the first numbers of keys, and have no memory of their own. */
  static boolean valuesInKeys(Hyperparams h) {
    return Architectures.find(h.architecture()).map(a -> a.valuesInKeys(h)).orElse(false);
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
   * @throws UnsupportedModelException when values are a part of keys
   */
  public void put(int layer, int cell, float[] keys, float[] values) {
    StoredTensor valueCache =
        values(layer)
            .orElseThrow(() ->
                new UnsupportedModelException(
                    "%s: values are a part of keys, which other ones cannot take the place of"
                        .formatted(h.metadata().file())));
    put(keys(layer), cell, keys, keyTurn(h, keys(layer).type()));
    put(valueCache, cell, values, valueTurn(h, valueCache.type()));
  }

  private void put(StoredTensor cache, int cell, float[] row, int block) {
    float[] stored = block == 1 ? row : Hadamard.turned(row, block);
    store.writeRow(cache, cell, stored);
  }

  /**
   * The matrix [B, B] by which a layer's keys are turned, B values at a time; none for most types.
   */
  Optional<StoredTensor> keyTurn(int layer) {
    return turn(keyTurn(h, keys(layer).type()));
  }

  /** The same of a layer's values. */
  Optional<StoredTensor> valueTurn(int layer) {
    return values(layer)
        .map(values -> turn(valueTurn(h, values.type())))
        .orElseGet(() -> keyTurn(layer));
  }

  private Optional<StoredTensor> turn(int block) {
    return block == 1 ? Optional.empty() : store.find(turnName(block));
  }

  /** How many values are turned together on one side or the other. */
  private static List<Integer> turns(Hyperparams h, KvTypes types) {
    int keys = keyTurn(h, types.keys());
    int values = valueTurn(h, types.values());
    return Stream.of(keys, values).filter(block -> block > 1).distinct().toList();
  }

  private static int keyTurn(Hyperparams h, DType type) {
    // Values that are the first numbers of keys must be whole blocks too.
    return KvTypes.turned(type, valuesInKeys(h) ? h.headDim() | h.valueDim() : h.headDim());
  }

  private static int valueTurn(Hyperparams h, DType type) {
    return valuesInKeys(h) ? keyTurn(h, type) : KvTypes.turned(type, h.valueDim());
  }

  private static String turnName(int block) {
    return "hadamard." + block;
  }

  private void writeTurn(int block) {
    store.write(store.find(turnName(block)).orElseThrow(), 0, Hadamard.matrix(block));
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
        values(layer).ifPresent(values -> store.copyRows(values, from, to));
      }
    }
  }

  /** The bytes of neighbouring cells of a layer: keys, then values, as they are stored. */
  public byte[] read(int layer, int cell, int count) {
    byte[] keys = store.readRows(keys(layer), cell, count);
    Optional<StoredTensor> cache = values(layer);
    if (cache.isEmpty()) {
      return keys;
    }
    byte[] values = store.readRows(cache.get(), cell, count);
    byte[] both = Arrays.copyOf(keys, keys.length + values.length);
    System.arraycopy(values, 0, both, keys.length, values.length);
    return both;
  }

  /** Puts back what {@link #read} gave, in other cells maybe. */
  public void write(int layer, int cell, int count, byte[] both) {
    int split = Math.toIntExact(count * keys(layer).layout().s1());
    store.writeRows(keys(layer), cell, Arrays.copyOf(both, split));
    byte[] rest = Arrays.copyOfRange(both, split, both.length);
    values(layer).ifPresent(values -> store.writeRows(values, cell, rest));
  }

  /** Bytes of one cell in one layer. */
  public int cellBytes(int layer) {
    long values = values(layer).map(v -> v.layout().s1()).orElse(0L);
    return Math.toIntExact(keys(layer).layout().s1() + values);
  }

  StoredTensor keys(int layer) {
    return store.find("cache_k." + layer).orElseThrow();
  }

  /** Empty where values are the first numbers of keys. */
  Optional<StoredTensor> values(int layer) {
    return store.find("cache_v." + layer);
  }

  @Override
  public void close() {
    store.close();
  }

  private static Layout layout(DType type, int width, int cells) {
    return Layout.dense(type, Shape.of(width, cells));
  }
}
