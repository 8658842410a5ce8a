package io.gatun.model.adapter;

import static io.gatun.model.adapter.AdapterKeys.A;
import static io.gatun.model.adapter.AdapterKeys.ALPHA;
import static io.gatun.model.adapter.AdapterKeys.ARCHITECTURE;
import static io.gatun.model.adapter.AdapterKeys.B;
import static io.gatun.model.adapter.AdapterKeys.DIRECTION;
import static io.gatun.model.adapter.AdapterKeys.DORA;
import static io.gatun.model.adapter.AdapterKeys.GAIN;
import static io.gatun.model.adapter.AdapterKeys.GENERAL_TYPE;
import static io.gatun.model.adapter.AdapterKeys.HINT;
import static io.gatun.model.adapter.AdapterKeys.INVOCATION;
import static io.gatun.model.adapter.AdapterKeys.LORA;
import static io.gatun.model.adapter.AdapterKeys.PREFIX;
import static io.gatun.model.adapter.AdapterKeys.RESERVED;
import static io.gatun.model.adapter.AdapterKeys.SOFT;
import static io.gatun.model.adapter.AdapterKeys.TYPE;
import static io.gatun.model.adapter.AdapterKeys.VECTOR;

import io.gatun.model.gguf.GgufValue;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.tensor.DType;
import io.gatun.tensor.Quantization;
import io.gatun.tensor.Shape;
import java.util.stream.Stream;

/** Adapters to GGUF: see {@link AdapterFile}. */
final class AdapterWriter {
  private AdapterWriter() {}

  /** Keys and tensors of an adapter, floats as F32 or F16. */
  static GgufWriter of(Adapter adapter, DType type) {
    GgufWriter out = new GgufWriter();
    switch (adapter) {
      case LoraAdapter lora -> write(lora, type, out);
      case SoftPrompt soft -> {
        out.put(GENERAL_TYPE, "adapter").put(ARCHITECTURE, soft.architecture()).put(TYPE, SOFT);
        tensor(out, SOFT, type, Shape.of(soft.width(), soft.rows()), soft.values());
      }
      case KeyValuePrefix prefix -> write(prefix, type, out);
      case ControlVector vector -> write(vector, out);
    }
    return out;
  }

  private static void write(KeyValuePrefix prefix, DType type, GgufWriter out) {
    out.put(GENERAL_TYPE, "adapter").put(ARCHITECTURE, prefix.architecture()).put(TYPE, PREFIX);
    for (int layer = 0; layer < prefix.layers(); layer++) {
      Shape keys = Shape.of(prefix.keyWidth(), prefix.rows());
      Shape values = Shape.of(prefix.valueWidth(), prefix.rows());
      tensor(out, "blk.%d.prefix_k".formatted(layer), type, keys, prefix.keys().get(layer));
      tensor(out, "blk.%d.prefix_v".formatted(layer), type, values, prefix.values().get(layer));
    }
  }

  private static void write(ControlVector vector, GgufWriter out) {
    if (vector.directions().containsKey(0)) {
      throw new IllegalArgumentException(
          vector.name() + ": files cannot hold a direction for layer 0");
    }
    out.put(ARCHITECTURE, VECTOR)
        .put(HINT, vector.architecture())
        .put("controlvector.layer_count", new GgufValue.Int(5, vector.directions().size()));
    vector
        .directions()
        .forEach((layer, direction) ->
            tensor(out, DIRECTION + layer, DType.F32, Shape.of(vector.width()), direction));
  }

  private static void write(LoraAdapter lora, DType type, GgufWriter out) {
    out.put(GENERAL_TYPE, "adapter")
        .put(ARCHITECTURE, lora.architecture())
        .put(TYPE, lora.rescales() ? DORA : LORA);
    // One α for the file. Where it does not give each matrix its scale, it is 0, which every reader
    // takes for a scale of 1, and the scales go into the Bs.
    LowRank first = lora.deltas().values().iterator().next();
    float common = first.scale() * first.rank();
    boolean one =
        common != 0
            && Float.isFinite(common)
            && lora.deltas().values().stream().allMatch(d -> common / d.rank() == d.scale());
    float alpha = one ? common : 0;
    out.put(ALPHA, alpha);
    lora.metadata()
        .forEach((key, value) -> {
          if (key.equals(INVOCATION)) {
            out.put(key, new GgufValue.Ints(4, tokens(lora.name(), value)));
          } else if (!RESERVED.contains(key) && !key.startsWith("split.")) {
            out.put(key, value);
          }
        });
    lora.deltas()
        .forEach((matrix, d) -> {
          float[] b = one || d.scale() == 1 ? d.b() : times(d.b(), d.scale());
          tensor(out, matrix + A, type, Shape.of(d.in(), d.rank(), d.experts()), d.a());
          tensor(out, matrix + B, type, Shape.of(d.rank(), d.out(), d.experts()), b);
          if (d.rescales()) {
            tensor(out, matrix + GAIN, DType.F32, Shape.of(d.out()), d.gain());
          }
        });
  }

  private static long[] tokens(String name, String text) {
    try {
      return Stream.of(text.strip().split(" +")).mapToLong(Long::parseLong).toArray();
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "%s: %s should be token ids but is \"%s\"".formatted(name, INVOCATION, text), e);
    }
  }

  private static void tensor(GgufWriter out, String name, DType type, Shape s, float[] values) {
    out.tensor(name, type, s, Quantization.quantize(type, values, (int) s.d0()));
  }

  private static float[] times(float[] values, float factor) {
    float[] product = values.clone();
    for (int i = 0; i < product.length; i++) {
      product[i] *= factor;
    }
    return product;
  }
}
