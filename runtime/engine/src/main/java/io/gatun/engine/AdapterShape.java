package io.gatun.engine;

import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.ControlVector;
import io.gatun.model.adapter.KeyValuePrefix;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.model.adapter.SoftPrompt;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What an {@link AdapterBank} has room for: so many adapters, each of at most this size. A value.
 *
 * @param slots S, how many adapters
 * @param rank R, of LoRA matrices; lower ranks are filled up with zeros
 * @param matrices which ones a LoRA may change
 * @param softRows P, rows of a soft prompt
 * @param layers behind which a control vector may act
 * @param half whether F16 holds every value exactly
 */
record AdapterShape(
    int slots,
    int rank,
    SortedMap<String, Matrix> matrices,
    int softRows,
    SortedSet<Integer> layers,
    boolean half) {

  /**
   * A matrix [in, out] of a model, or X of them.
   *
   * @param rescaled whether some adapter has gains for its rows
   */
  record Matrix(int in, int out, int experts, boolean rescaled) {}

  static AdapterShape empty(int slots) {
    return new AdapterShape(slots, 0, new TreeMap<>(), 0, new TreeSet<>(), true);
  }

  /** The smallest shape that also has room for an adapter, in as many slots. */
  AdapterShape with(Adapter adapter) {
    return switch (adapter) {
      case LoraAdapter lora -> {
        SortedMap<String, Matrix> all = new TreeMap<>(matrices);
        boolean exact = half;
        for (var entry : lora.deltas().entrySet()) {
          LowRank d = entry.getValue();
          Matrix known = all.get(entry.getKey());
          boolean rescaled = d.rescales() || (known != null && known.rescaled());
          all.put(entry.getKey(), new Matrix(d.in(), d.out(), d.experts(), rescaled));
          exact = exact && exactInHalf(d.a(), 1) && exactInHalf(d.b(), d.scale());
        }
        // In steps of 8, so that adapters of nearly the same rank take each other's place.
        int rounded = Math.ceilDiv(lora.rank(), 8) * 8;
        yield new AdapterShape(slots, Math.max(rank, rounded), all, softRows, layers, exact);
      }
      case SoftPrompt soft ->
          new AdapterShape(slots, rank, matrices, Math.max(softRows, soft.rows()), layers, half);
      case KeyValuePrefix _ -> this; // it goes into the cache
      case ControlVector vector -> {
        SortedSet<Integer> all = new TreeSet<>(layers);
        all.addAll(vector.directions().keySet());
        yield new AdapterShape(slots, rank, matrices, softRows, all, half);
      }
    };
  }

  /** Bytes of a bank of this shape for a model of width E. */
  long bytes(int width) {
    long values = 0;
    for (Matrix m : matrices.values()) {
      values += (long) rank * (m.in() + m.out()) * m.experts();
    }
    long floats = (long) width * (softRows + layers.size());
    for (Matrix m : matrices.values()) {
      floats += m.rescaled() ? m.out() : 0;
    }
    return slots * (values * (half ? 2 : 4) + 4 * floats);
  }

  private static boolean exactInHalf(float[] values, float factor) {
    for (float value : values) {
      float v = value * factor;
      if (Float.float16ToFloat(Float.floatToFloat16(v)) != v) {
        return false;
      }
    }
    return true;
  }
}
