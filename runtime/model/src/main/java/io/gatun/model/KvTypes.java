package io.gatun.model;

import io.gatun.tensor.DType;
import java.util.Locale;
import java.util.Set;

/**
 * Element types of a KV cache, for each side. Smaller ones hold more context and are read faster,
 * and cost accuracy: keys more than values, outer layers more than inner ones.
 *
 * <p>Heads of a quantised side are turned by a Walsh-Hadamard matrix before they are stored, which
 * spreads outliers over the whole head (arXiv 2404.00456); products of queries and keys do not
 * change by it, and what values give is turned back.
 *
 * @param keys type of keys
 * @param values type of values
 * @param outerLayers so many first and last layers are F16 in any case
 */
public record KvTypes(DType keys, DType values, int outerLayers) {
  private static final Set<DType> KNOWN =
      Set.of(DType.F32, DType.F16, DType.BF16, DType.Q8_0, DType.Q5_1, DType.Q4_0);

  /** Turning smaller heads would spread too little. */
  private static final int TURNED_MIN = 32;

  /** Both sides in F16. */
  public static final KvTypes F16 = of(DType.F16);

  public KvTypes {
    for (DType type : new DType[] {keys, values}) {
      if (!KNOWN.contains(type)) {
        throw new IllegalArgumentException(
            "the KV cache can be F32, F16, BF16, Q8_0, Q5_1 or Q4_0, not " + type);
      }
    }
    if (outerLayers < 0) {
      throw new IllegalArgumentException("outerLayers must not be negative, got " + outerLayers);
    }
  }

  /** The same type for both sides of all layers. */
  public static KvTypes of(DType type) {
    return new KvTypes(type, type, 0);
  }

  /**
   * A type by its name, such as {@code q8_0}.
   *
   * @throws IllegalArgumentException when a cache cannot be of it
   */
  public static DType parse(String name) {
    for (DType type : KNOWN) {
      if (type.toString().equalsIgnoreCase(name)) {
        return type;
      }
    }
    throw new IllegalArgumentException(
        "KV cache type \"%s\" is none of f32, f16, bf16, q8_0, q5_1, q4_0"
            .formatted(name.toLowerCase(Locale.ROOT)));
  }

  public KvTypes withKeys(DType type) {
    return new KvTypes(type, values, outerLayers);
  }

  public KvTypes withValues(DType type) {
    return new KvTypes(keys, type, outerLayers);
  }

  /** With so many first and last layers in F16. */
  public KvTypes withOuterLayers(int count) {
    return new KvTypes(keys, values, count);
  }

  /** The type of one layer's keys. */
  public DType keys(int layer, int layers) {
    return outer(layer, layers) ? DType.F16 : keys;
  }

  /** The type of one layer's values. */
  public DType values(int layer, int layers) {
    return outer(layer, layers) ? DType.F16 : values;
  }

  private boolean outer(int layer, int layers) {
    return layer < outerLayers || layer >= layers - outerLayers;
  }

  /**
   * How many neighbouring values of a head are turned together: the largest power of two that
   * divides its length, 1 for none.
   */
  static int turned(DType type, int headDim) {
    int block = Integer.lowestOneBit(headDim);
    return type.quantized() && block >= TURNED_MIN ? block : 1;
  }

  /**
   * Checks that heads are whole blocks.
   *
   * @throws UnsupportedModelException when a model's heads cannot be stored so
   */
  void require(Hyperparams h) {
    require(h, "keys", keys, h.headDim());
    require(h, "values", values, h.valueDim());
    if (keys != values && KvStore.valuesInKeys(h)) {
      throw new UnsupportedModelException(
          "%s: values are a part of keys, so that the KV cache has one type: %s and %s were asked for; give both sides the same"
              .formatted(h.metadata().file(), keys, values));
    }
  }

  private static void require(Hyperparams h, String side, DType type, int headDim) {
    if (headDim % type.blockSize() != 0) {
      throw new UnsupportedModelException(
          "%s: %s have heads of %d, which are no multiple of the %d values of a block of %s; use f16"
              .formatted(h.metadata().file(), side, headDim, type.blockSize(), type));
    }
  }
}
