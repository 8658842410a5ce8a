package io.gatun.tests.kit;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The numbers of a made model, with the letters of the glossary.
 *
 * @param architecture {@code general.architecture}
 * @param layers L
 * @param embedding E
 * @param heads H
 * @param kvHeads G
 * @param headDim D
 * @param feedForward F, of one expert if there are experts
 * @param vocabulary V
 * @param experts X, 0 for none
 * @param expertsPerToken K
 * @param tied whether the output matrix is the embedding
 * @param metadata further values below the architecture's name: Integer, Float, Boolean, int[] or
 *     String
 */
public record ModelShape(
    String architecture,
    int layers,
    int embedding,
    int heads,
    int kvHeads,
    int headDim,
    int feedForward,
    int vocabulary,
    int experts,
    int expertsPerToken,
    boolean tied,
    Map<String, Object> metadata) {

  /** A key of our own, which readers ignore. */
  private static final String FACTORS = "made.rope_factors";

  /** The same: each expert has one matrix for gate and up. */
  static final String GATE_UP = "made.gate_up";

  /** The same: attention and feed-forward side by side, and norms of each head. */
  static final String BESIDE = "made.beside";

  /** The same: a bias takes part in the choice of experts. */
  static final String CHOICE_BIAS = "made.choice_bias";

  /** A model of some 100 thousand weights, wide enough for every quantisation. */
  public static ModelShape tiny(String architecture) {
    return new ModelShape(architecture, 4, 256, 8, 4, 32, 512, 320, 0, 0, false, Map.of());
  }

  public ModelShape withLayers(int count) {
    return new ModelShape(
        architecture,
        count,
        embedding,
        heads,
        kvHeads,
        headDim,
        feedForward,
        vocabulary,
        experts,
        expertsPerToken,
        tied,
        metadata);
  }

  public ModelShape withExperts(int count, int perToken) {
    return new ModelShape(
        architecture,
        layers,
        embedding,
        heads,
        kvHeads,
        headDim,
        feedForward,
        vocabulary,
        count,
        perToken,
        tied,
        metadata);
  }

  public ModelShape withHeads(int count, int kv, int dim) {
    return new ModelShape(
        architecture,
        layers,
        embedding,
        count,
        kv,
        dim,
        feedForward,
        vocabulary,
        experts,
        expertsPerToken,
        tied,
        metadata);
  }

  public ModelShape withTied() {
    return new ModelShape(
        architecture,
        layers,
        embedding,
        heads,
        kvHeads,
        headDim,
        feedForward,
        vocabulary,
        experts,
        expertsPerToken,
        true,
        metadata);
  }

  /** With factors for its rotary positions, as Llama 3 has them. */
  public ModelShape withRopeFactors() {
    return with("rope.freq_base", 500000f).with(FACTORS, true);
  }

  /** With one matrix of each expert for gate and up. */
  public ModelShape withFusedExperts() {
    return with(GATE_UP, true);
  }

  /** With one norm before attention and feed-forward, and different ones of each head. */
  public ModelShape withOneNorm() {
    return with(BESIDE, true);
  }

  /** With a bias that takes part in the choice of experts. */
  public ModelShape withChoiceBias() {
    return with(CHOICE_BIAS, true);
  }

  /**
   * DeepSeek V2 and V3, whose cache holds 96 numbers for each token: 64 of which values are made,
   * and 32 that are turned.
   */
  public static ModelShape latent() {
    return tiny("deepseek2")
        .withHeads(8, 1, 96)
        .with("attention.value_length", 64)
        .with("attention.key_length_mla", 64)
        .with("attention.value_length_mla", 32)
        .with("attention.kv_lora_rank", 64)
        .with("attention.q_lora_rank", 0)
        .with("rope.dimension_count", 32)
        .withExperts(8, 2)
        .with("expert_shared_count", 1)
        .with("leading_dense_block_count", 1);
  }

  /** The same in its older form, whose cache holds keys and values of every head. */
  public static ModelShape latentOfHeads() {
    return tiny("deepseek2")
        .withHeads(8, 8, 64)
        .with("attention.value_length", 32)
        .with("attention.key_length", 64)
        .with("attention.kv_lora_rank", 64)
        .with("attention.q_lora_rank", 0)
        .with("rope.dimension_count", 32)
        .withExperts(8, 2)
        .with("expert_shared_count", 2)
        .with("leading_dense_block_count", 1);
  }

  /** Llama 4: layers that see chunks of 8192 tokens, and small experts. */
  public static ModelShape chunked(int experts, int perToken) {
    return new ModelShape("llama4", 4, 64, 4, 2, 32, 64, 320, experts, perToken, false, Map.of())
        .with("interleave_moe_layer_step", 1)
        .with("expert_shared_feed_forward_length", 64);
  }

  /** Whether the file gets factors for rotary positions. */
  boolean ropeFactors() {
    return metadata.containsKey(FACTORS);
  }

  /** With one more metadata value. */
  public ModelShape with(String key, Object value) {
    Map<String, Object> more = new LinkedHashMap<>(metadata);
    more.put(key, value);
    return new ModelShape(
        architecture,
        layers,
        embedding,
        heads,
        kvHeads,
        headDim,
        feedForward,
        vocabulary,
        experts,
        expertsPerToken,
        tied,
        more);
  }

  /** Llama-3.2-1B: 1.24 billion weights. */
  public static ModelShape llama1b() {
    return new ModelShape("llama", 16, 2048, 32, 8, 64, 8192, 128256, 0, 0, true, Map.of())
        .with("rope.freq_base", 500000f);
  }

  /** Qwen3-0.6B: 0.6 billion weights. */
  public static ModelShape qwen06b() {
    return new ModelShape("qwen3", 28, 1024, 16, 8, 128, 3072, 151936, 0, 0, true, Map.of())
        .with("rope.freq_base", 1000000f);
  }

  /** A mixture of 64 experts, 8 for each token: 0.9 billion weights, 0.3 billion of them used. */
  public static ModelShape moe64() {
    return new ModelShape("qwen3moe", 16, 1024, 16, 4, 64, 512, 50304, 64, 8, false, Map.of())
        .with("rope.freq_base", 1000000f);
  }

  /**
   * Four layers with the attention of DeepSeek V2 Lite, and 16 experts instead of 64: 0.95 billion
   * weights.
   *
   * @param absorbed whether the cache holds one row for all heads
   */
  public static ModelShape latent4(boolean absorbed) {
    ModelShape shape =
        new ModelShape("deepseek2", 4, 2048, 16, 1, 576, 1408, 102400, 16, 6, false, Map.of())
            .with("attention.kv_lora_rank", 512)
            .with("attention.q_lora_rank", 0)
            .with("rope.dimension_count", 64)
            .with("expert_shared_count", 2)
            .with("leading_dense_block_count", 1);
    return absorbed
        ? shape
            .with("attention.value_length", 512)
            .with("attention.key_length_mla", 192)
            .with("attention.value_length_mla", 128)
        : shape
            .withHeads(16, 16, 192)
            .with("attention.key_length", 192)
            .with("attention.value_length", 128);
  }
}
