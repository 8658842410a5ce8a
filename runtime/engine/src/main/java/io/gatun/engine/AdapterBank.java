package io.gatun.engine;

import io.gatun.model.LayerDevices;
import io.gatun.model.Model;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.ControlVector;
import io.gatun.model.adapter.KeyValuePrefix;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.model.adapter.SoftPrompt;
import io.gatun.tensor.DType;
import io.gatun.tensor.Device;
import io.gatun.tensor.Layout;
import io.gatun.tensor.Shape;
import io.gatun.tensor.StoredTensor;
import io.gatun.tensor.TensorStore;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Native memory of the adapters that requests use: for each matrix a stack of all their A and one
 * of all their B, so that one product by ids serves rows with different adapters. Putting another
 * adapter into a slot only writes its numbers; graphs stay as they are.
 *
 * <p>A [in, R, X·S], B [R, out, X·S] with the adapter's own scale in B; gains [out, S]; soft
 * prompts [E, P·S]; directions [E, S] per layer.
 *
 * @owner the engine's thread
 */
final class AdapterBank implements AutoCloseable {
  private final AdapterShape shape;
  private final int width;
  private final TensorStore store;

  AdapterBank(Model model, AdapterShape shape) {
    this.shape = shape;
    this.width = model.hyperparams().embeddingLength();
    LayerDevices devices = model.devices();
    int readOut = model.hyperparams().layerCount();
    DType type = shape.half() ? DType.F16 : DType.F32;
    try (TensorStore.Builder builder = TensorStore.builder("adapters")) {
      shape
          .matrices()
          .forEach((name, m) -> {
            Device device = devices.of(layerOf(name, readOut));
            long stack = (long) m.experts() * shape.slots();
            builder.zeroed(
                a(name), Layout.dense(type, Shape.of(m.in(), shape.rank(), stack)), device);
            builder.zeroed(
                b(name), Layout.dense(type, Shape.of(shape.rank(), m.out(), stack)), device);
            if (m.rescaled()) {
              Layout gains = Layout.dense(DType.F32, Shape.of(m.out(), shape.slots()));
              builder.zeroed(gain(name), gains, device);
            }
          });
      if (shape.softRows() > 0) {
        long rows = (long) shape.softRows() * shape.slots();
        builder.zeroed("soft", Layout.dense(DType.F32, Shape.of(width, rows)), devices.of(0));
      }
      for (int layer : shape.layers()) {
        Layout directions = Layout.dense(DType.F32, Shape.of(width, shape.slots()));
        builder.zeroed("directions." + layer, directions, devices.of(layer));
      }
      store = builder.build();
    }
  }

  AdapterShape shape() {
    return shape;
  }

  /** The A of a matrix for all slots, if any adapter may change it. */
  Optional<StoredTensor> down(String matrix) {
    return store.find(a(matrix));
  }

  StoredTensor up(String matrix) {
    return store.find(b(matrix)).orElseThrow();
  }

  /** The gains of a matrix' rows for all slots, if any adapter has some. */
  Optional<StoredTensor> gains(String matrix) {
    return store.find(gain(matrix));
  }

  StoredTensor soft() {
    return store.find("soft").orElseThrow();
  }

  Optional<StoredTensor> directions(int layer) {
    return store.find("directions." + layer);
  }

  /** Puts an adapter into a slot, in place of what was there. */
  void put(int slot, Adapter adapter) {
    switch (adapter) {
      case LoraAdapter lora ->
          shape.matrices().forEach((name, m) -> put(slot, name, m, lora.deltas().get(name)));
      case SoftPrompt soft ->
          store.write(soft(), (long) slot * shape.softRows() * width, soft.values());
      case KeyValuePrefix _ -> {} // it goes into the cache
      case ControlVector vector -> {
        for (int layer : shape.layers()) {
          float[] direction = vector.directions().getOrDefault(layer, new float[width]);
          store.write(directions(layer).orElseThrow(), (long) slot * width, direction);
        }
      }
    }
  }

  private void put(int slot, String name, AdapterShape.Matrix m, @Nullable LowRank delta) {
    int rank = shape.rank();
    float[] a = new float[m.in() * rank * m.experts()];
    float[] b = new float[rank * m.out() * m.experts()];
    if (delta != null) {
      int r = delta.rank();
      for (int x = 0; x < m.experts(); x++) {
        System.arraycopy(delta.a(), x * m.in() * r, a, x * m.in() * rank, m.in() * r);
        for (int row = 0; row < m.out(); row++) {
          int to = (x * m.out() + row) * rank;
          int from = (x * m.out() + row) * r;
          for (int i = 0; i < r; i++) {
            b[to + i] = delta.b()[from + i] * delta.scale();
          }
        }
      }
    }
    store.write(down(name).orElseThrow(), (long) slot * a.length, a);
    store.write(up(name), (long) slot * b.length, b);
    if (m.rescaled()) {
      float[] gain = delta != null && delta.rescales() ? delta.gain() : new float[m.out()];
      store.write(gains(name).orElseThrow(), (long) slot * m.out(), gain);
    }
  }

  @Override
  public void close() {
    store.close();
  }

  private static String a(String matrix) {
    return matrix + ".a";
  }

  private static String b(String matrix) {
    return matrix + ".b";
  }

  private static String gain(String matrix) {
    return matrix + ".gain";
  }

  private static int layerOf(String matrix, int readOut) {
    if (!matrix.startsWith("blk.")) {
      return readOut;
    }
    int end = matrix.indexOf('.', 4);
    return Math.min(readOut, Integer.parseInt(matrix.substring(4, end)));
  }
}
