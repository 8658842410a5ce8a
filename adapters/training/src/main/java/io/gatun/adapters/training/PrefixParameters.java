package io.gatun.adapters.training;

import io.gatun.model.Hyperparams;
import io.gatun.model.KeysValues;
import io.gatun.model.Model;
import io.gatun.model.Modifier;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.adapter.KeyValuePrefix;
import io.gatun.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Function;

/**
 * Keys and values of each layer that all rows see before their own (arXiv 2101.00190), trained as
 * they are and not through a network that makes them. They cost no rows of a pass.
 *
 * @param rows P
 */
public record PrefixParameters(int rows) implements Parameters {
  private static final String KEYS = ".prefix_k";
  private static final String VALUES = ".prefix_v";

  /** How large keys begin; values begin at a tenth of it, so that little changes at first. */
  private static final float BEGIN = 0.5f;

  public PrefixParameters {
    if (rows < 1 || rows > 1 << 16) {
      throw new IllegalArgumentException("a prefix has 1 to 65536 rows, not " + rows);
    }
  }

  @Override
  public Map<String, Shape> shapes(Model model) {
    Hyperparams h = model.hyperparams();
    if (h.valueWidth() == 0) {
      throw new UnsupportedModelException(
          "%s: values are a part of the keys, so that a prefix cannot have its own; train a soft prompt instead"
              .formatted(model.name()));
    }
    Map<String, Shape> shapes = new LinkedHashMap<>();
    for (int layer = 0; layer < h.layerCount(); layer++) {
      shapes.put("blk." + layer + KEYS, Shape.of(h.keyWidth(), rows));
      shapes.put("blk." + layer + VALUES, Shape.of(h.valueWidth(), rows));
    }
    return shapes;
  }

  @Override
  public float[] initial(Model model, String name, Shape shape, SplittableRandom random) {
    float[] values = new float[Math.toIntExact(shape.elements())];
    float size = name.endsWith(KEYS) ? BEGIN : BEGIN / 10;
    for (int i = 0; i < values.length; i++) {
      values[i] = size * (float) random.nextGaussian();
    }
    return values;
  }

  @Override
  public Changes changes(Forward forward) {
    return Changes.of(
        new Modifier() {
          @Override
          public Optional<KeysValues> before(int layer) {
            return Optional.of(
                new KeysValues(
                    forward.find("blk." + layer + KEYS).orElseThrow(),
                    forward.find("blk." + layer + VALUES).orElseThrow()));
          }
        });
  }

  @Override
  public int prefixRows() {
    return rows;
  }

  @Override
  public boolean decays(String name) {
    return false;
  }

  /** What the trained numbers are as an adapter. */
  public KeyValuePrefix adapter(Model model, String name, Function<String, float[]> trained) {
    Hyperparams h = model.hyperparams();
    List<float[]> keys = new ArrayList<>();
    List<float[]> values = new ArrayList<>();
    for (int layer = 0; layer < h.layerCount(); layer++) {
      keys.add(trained.apply("blk." + layer + KEYS));
      values.add(trained.apply("blk." + layer + VALUES));
    }
    return new KeyValuePrefix(
        name, h.architecture(), rows, h.keyWidth(), h.valueWidth(), keys, values);
  }
}
