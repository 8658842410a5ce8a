package io.gatun.model;

import io.gatun.model.gguf.GgufMetadata;
import io.gatun.tensor.RopeParameters;
import java.util.Optional;

/**
 * The numbers that shape a model, read from its metadata and checked against each other.
 *
 * @param embeddingLength E, from {@code embedding_length}
 * @param layerCount L, from {@code block_count}
 * @param headCount H, from {@code attention.head_count}
 * @param kvHeadCount G, from {@code attention.head_count_kv}
 * @param headDim D of queries and keys, from {@code attention.key_length}
 * @param valueDim D of values, from {@code attention.value_length}
 * @param contextLength tokens the model was trained on, from {@code context_length}
 * @param rmsEpsilon from {@code attention.layer_norm_rms_epsilon}
 * @param slidingWindow how many tokens a sliding layer sees, 0 for all
 * @param expertCount X, 0 for dense models
 * @param expertsPerToken K
 * @param rope rotation of ordinary layers
 */
public record Hyperparams(
    String architecture,
    int embeddingLength,
    int layerCount,
    int headCount,
    int kvHeadCount,
    int headDim,
    int valueDim,
    int contextLength,
    float rmsEpsilon,
    int slidingWindow,
    int expertCount,
    int expertsPerToken,
    RopeParameters rope,
    GgufMetadata metadata) {
  private static final int LAYERS_MAX = 1024;

  public Hyperparams {
    String file = metadata.file();
    within(file, "embedding_length", embeddingLength, 1, 1 << 20);
    within(file, "block_count", layerCount, 1, LAYERS_MAX);
    within(file, "attention.head_count", headCount, 1, 1 << 14);
    within(file, "attention.head_count_kv", kvHeadCount, 1, headCount);
    within(file, "attention.key_length", headDim, 1, 1 << 14);
    within(file, "attention.value_length", valueDim, 1, 1 << 14);
    within(file, "context_length", contextLength, 1, Integer.MAX_VALUE);
    within(file, "attention.sliding_window", slidingWindow, 0, Integer.MAX_VALUE);
    within(file, "expert_count", expertCount, 0, 4096);
    within(file, "expert_used_count", expertsPerToken, expertCount == 0 ? 0 : 1, expertCount);
    within(file, "rope.dimension_count", rope.dims(), 2, headDim);
    if (headCount % kvHeadCount != 0) {
      throw new ModelFormatException(
          "%s: %d heads are no multiple of %d KV heads".formatted(file, headCount, kvHeadCount));
    }
    if (!(rmsEpsilon >= 0 && rmsEpsilon < 1)) {
      throw new ModelFormatException(
          "%s: attention.layer_norm_rms_epsilon is %s".formatted(file, rmsEpsilon));
    }
  }

  /** Reads the keys that all decoder families share. */
  public static Hyperparams read(GgufMetadata meta, boolean neox) {
    Keys k = new Keys(meta);
    int embedding = k.required("embedding_length");
    int heads = k.required("attention.head_count");
    within(meta.file(), "attention.head_count", heads, 1, 1 << 14);
    int headDim = k.integer("attention.key_length", embedding / heads);
    int context = k.required("context_length");
    int experts = k.integer("expert_count", 0);
    return new Hyperparams(
        k.architecture(),
        embedding,
        k.required("block_count"),
        heads,
        k.integer("attention.head_count_kv", heads),
        headDim,
        k.integer("attention.value_length", embedding / heads),
        context,
        (float) k.number("attention.layer_norm_rms_epsilon", 1e-5),
        k.integer("attention.sliding_window", 0),
        experts,
        experts == 0 ? 0 : k.integer("expert_used_count", 0),
        rope(k, neox, k.integer("rope.dimension_count", headDim), context),
        meta);
  }

  /** Further keys of this model's architecture. */
  public Keys keys() {
    return new Keys(metadata);
  }

  /** The same numbers with another sliding window. */
  public Hyperparams withSlidingWindow(int window) {
    return new Hyperparams(
        architecture,
        embeddingLength,
        layerCount,
        headCount,
        kvHeadCount,
        headDim,
        valueDim,
        contextLength,
        rmsEpsilon,
        window,
        expertCount,
        expertsPerToken,
        rope,
        metadata);
  }

  /** The same numbers with another rotation. */
  public Hyperparams withRope(RopeParameters other) {
    return new Hyperparams(
        architecture,
        embeddingLength,
        layerCount,
        headCount,
        kvHeadCount,
        headDim,
        valueDim,
        contextLength,
        rmsEpsilon,
        slidingWindow,
        expertCount,
        expertsPerToken,
        other,
        metadata);
  }

  /** The same numbers without the last layers, which predict further tokens and no logits. */
  public Hyperparams withoutLastLayers(int count) {
    return new Hyperparams(
        architecture,
        embeddingLength,
        layerCount - count,
        headCount,
        kvHeadCount,
        headDim,
        valueDim,
        contextLength,
        rmsEpsilon,
        slidingWindow,
        expertCount,
        expertsPerToken,
        rope,
        metadata);
  }

  /** Whether a tensor is not one of layers that {@link #withoutLastLayers} leaves out. */
  public boolean computes(String tensor) {
    String[] parts = tensor.split("\\.", 3);
    return !parts[0].equals("blk")
        || parts.length < 3
        || !parts[1].matches("\\d{1,6}")
        || Integer.parseInt(parts[1]) < layerCount;
  }

  /** What layers with a window see. */
  public AttentionWindow window() {
    boolean chunked = Architectures.find(architecture).map(Architecture::chunked).orElse(false);
    return new AttentionWindow(slidingWindow, chunked);
  }

  /** Length of a token's keys in a layer, all heads together. */
  public int keyWidth() {
    return kvHeadCount * headDim;
  }

  /** The same of its values: 0 where they are a part of the keys. */
  public int valueWidth() {
    return KvStore.valuesInKeys(this) ? 0 : kvHeadCount * valueDim;
  }

  /** 1/√D. */
  public float attentionScale() {
    return 1f / (float) Math.sqrt(headDim);
  }

  /**
   * The context extension that a file asks for.
   *
   * @source llama.cpp v0.4.0, src/llama-context.cpp (the same float operations, for equal bits);
   *     YaRN is arXiv 2309.00071
   */
  private static RopeParameters rope(Keys k, boolean neox, int dims, int context) {
    float factor = (float) k.number("rope.scaling.factor", k.number("rope.scale_linear", 0));
    String type = k.text("rope.scaling.type", "linear");
    float scale = factor == 0f || type.equals("none") ? 1f : 1f / factor;
    int original = k.integer("rope.scaling.original_context_length", context);
    boolean yarn = type.equals("yarn");
    float ext = (float) k.number("rope.scaling.yarn_ext_factor", yarn ? 1 : 0);
    float attention = (float) k.number("rope.scaling.yarn_attn_factor", 1);
    if (ext != 0f) {
      float s = 1f / scale;
      float logMul = (float) k.number("rope.scaling.yarn_log_multiplier", 0);
      attention = logMul != 0f ? magnitude(s, 1f) / magnitude(s, logMul) : magnitude(s, 1f);
      // The kernel multiplies by this again.
      attention *= 1f / (1f + 0.1f * (float) Math.log(s));
    }
    attention *= (float) k.number("rope.scaling.attn_factor", 1);
    return new RopeParameters(
        dims,
        neox,
        original,
        (float) k.number("rope.freq_base", 10000),
        scale,
        ext,
        attention,
        (float) k.number("rope.scaling.yarn_beta_fast", 32),
        (float) k.number("rope.scaling.yarn_beta_slow", 1));
  }

  private static float magnitude(float scale, float multiplier) {
    return scale <= 1f ? 1f : 0.1f * multiplier * (float) Math.log(scale) + 1f;
  }

  private static void within(String file, String key, long value, long low, long high) {
    if (value < low || value > high) {
      throw new ModelFormatException(
          "%s: %s is %d, expected %d to %d".formatted(file, key, value, low, high));
    }
  }

  /** Metadata keys below the architecture's own name, like {@code qwen3.block_count}. */
  public record Keys(GgufMetadata metadata) {
    public String architecture() {
      return metadata
          .text("general.architecture")
          .orElseThrow(() -> metadata.missing("general.architecture"));
    }

    public int required(String key) {
      return scalar(key).orElseThrow(() -> metadata.missing(architecture() + "." + key));
    }

    public int integer(String key, int otherwise) {
      return scalar(key).orElse(otherwise);
    }

    public double number(String key, double otherwise) {
      return metadata.number(architecture() + "." + key).orElse(otherwise);
    }

    public String text(String key, String otherwise) {
      return metadata.text(architecture() + "." + key).orElse(otherwise);
    }

    public boolean flag(String key, boolean otherwise) {
      return metadata.flag(architecture() + "." + key).orElse(otherwise);
    }

    /** Which layers slide: an array in the file, or a period; see {@link #period}. */
    public boolean sliding(int layer, int defaultPeriod) {
      long[] pattern =
          metadata
              .integers(architecture() + ".attention.sliding_window_pattern")
              .orElseGet(() -> new long[] {defaultPeriod});
      return pattern.length > 1
          ? layer < pattern.length && pattern[layer] != 0
          : period(layer, pattern[0]);
    }

    /** The last layer of each period sees everything, the others slide; all slide for period 0. */
    private static boolean period(int layer, long period) {
      return period <= 0 || layer % period < period - 1;
    }

    /** One number, or an array that repeats one number for every layer. */
    private Optional<Integer> scalar(String key) {
      String full = architecture() + "." + key;
      return metadata
          .integers(full)
          .map(values -> {
            for (long value : values) {
              if (value != values[0]) {
                throw new UnsupportedModelException(
                    "%s: %s differs between layers, which Gatun's graphs do not support"
                        .formatted(metadata.file(), full));
              }
            }
            if (values.length == 0 || values[0] < 0 || values[0] > Integer.MAX_VALUE) {
              throw new ModelFormatException(
                  "%s: %s is out of range".formatted(metadata.file(), full));
            }
            return (int) values[0];
          });
    }
  }
}
