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
}
