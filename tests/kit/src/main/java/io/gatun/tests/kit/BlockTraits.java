package io.gatun.tests.kit;

import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/** In what the tensors of a family's layers differ from Llama's. */
enum BlockTraits {
  /** No {@code attn_norm}. */
  NO_ATTENTION_NORM,
  /** No {@code ffn_norm}. */
  NO_FEED_FORWARD_NORM,
  /** Norms in front have a bias. */
  NORM_BIAS,
  /** {@code attn_qkv} for all three. */
  FUSED_QKV,
  QKV_BIAS,
  OUTPUT_BIAS,
  SINKS,
  /** Norms of each head of queries and keys. */
  HEAD_NORMS,
  /** Norms of all heads of queries and keys at once. */
  WIDE_NORMS,
  POST_ATTENTION_NORM,
  POST_FEED_FORWARD_NORM,
  /** {@code ffn_up} for gate and up. */
  FUSED_GATE,
  /** No {@code ffn_gate}. */
  UNGATED,
  FEED_FORWARD_BIAS,
  /** A bias behind {@code ffn_down} alone. */
  DOWN_BIAS,
  EXPERT_BIAS,
  /** The shared expert has a gate of its own. */
  GATED_SHARED,
  /** A bias takes part in the choice of experts. */
  CHOICE_BIAS,
  /** Norms behind attention and feed-forward by BERT's names, and one behind the embedding. */
  BERT_NORMS,
  /** Learned positions. */
  POSITIONS,
  /** A norm behind the embedding alone. */
  EMBEDDING_NORM,
  /** Norms have no weights. */
  BARE_NORMS,
  /** A bias on the logits. */
  READ_OUT_BIAS;

  private static final Map<String, Set<BlockTraits>> OF =
      Map.ofEntries(
          Map.entry("qwen2", EnumSet.of(QKV_BIAS)),
          Map.entry("qwen2vl", EnumSet.of(QKV_BIAS)),
          Map.entry("qwen2moe", EnumSet.of(QKV_BIAS, GATED_SHARED)),
          Map.entry("qwen3", EnumSet.of(HEAD_NORMS)),
          Map.entry("qwen3moe", EnumSet.of(HEAD_NORMS)),
          Map.entry("gemma2", EnumSet.of(POST_ATTENTION_NORM, POST_FEED_FORWARD_NORM)),
          Map.entry("gemma3", EnumSet.of(HEAD_NORMS, POST_ATTENTION_NORM, POST_FEED_FORWARD_NORM)),
          Map.entry("phi3", EnumSet.of(FUSED_QKV, FUSED_GATE)),
          Map.entry(
              "olmo2",
              EnumSet.of(
                  NO_ATTENTION_NORM,
                  NO_FEED_FORWARD_NORM,
                  WIDE_NORMS,
                  POST_ATTENTION_NORM,
                  POST_FEED_FORWARD_NORM)),
          Map.entry("olmoe", EnumSet.of(WIDE_NORMS)),
          Map.entry(
              "gpt-oss",
              EnumSet.of(
                  NO_FEED_FORWARD_NORM,
                  QKV_BIAS,
                  OUTPUT_BIAS,
                  SINKS,
                  POST_ATTENTION_NORM,
                  EXPERT_BIAS)),
          Map.entry("command-r", EnumSet.of(NO_FEED_FORWARD_NORM)),
          Map.entry("cohere2", EnumSet.of(NO_FEED_FORWARD_NORM)),
          Map.entry(
              "starcoder2",
              EnumSet.of(NORM_BIAS, QKV_BIAS, OUTPUT_BIAS, UNGATED, FEED_FORWARD_BIAS)),
          Map.entry("nemotron", EnumSet.of(NORM_BIAS, UNGATED)),
          Map.entry("falcon", EnumSet.of(NO_FEED_FORWARD_NORM, NORM_BIAS, FUSED_QKV, UNGATED)),
          Map.entry("glm4", EnumSet.of(POST_ATTENTION_NORM, POST_FEED_FORWARD_NORM, FUSED_GATE)),
          Map.entry("ernie4_5-moe", EnumSet.of(CHOICE_BIAS)),
          Map.entry(
              "bert",
              EnumSet.of(
                  BERT_NORMS,
                  POSITIONS,
                  NORM_BIAS,
                  QKV_BIAS,
                  OUTPUT_BIAS,
                  UNGATED,
                  FEED_FORWARD_BIAS)),
          Map.entry("nomic-bert", EnumSet.of(BERT_NORMS, NORM_BIAS, FUSED_QKV)),
          Map.entry(
              "nomic-bert-moe",
              EnumSet.of(
                  BERT_NORMS,
                  NORM_BIAS,
                  FUSED_QKV,
                  QKV_BIAS,
                  OUTPUT_BIAS,
                  UNGATED,
                  FEED_FORWARD_BIAS)),
          Map.entry(
              "jina-bert-v2", EnumSet.of(BERT_NORMS, NORM_BIAS, QKV_BIAS, OUTPUT_BIAS, DOWN_BIAS)),
          Map.entry("modern-bert", EnumSet.of(EMBEDDING_NORM, FUSED_QKV, FUSED_GATE)),
          Map.entry(
              "gemma-embedding",
              EnumSet.of(HEAD_NORMS, POST_ATTENTION_NORM, POST_FEED_FORWARD_NORM)),
          Map.entry("arcee", EnumSet.of(UNGATED)),
          Map.entry("chatglm", EnumSet.of(FUSED_QKV, QKV_BIAS, FUSED_GATE)),
          Map.entry("seed_oss", EnumSet.of(NO_FEED_FORWARD_NORM, QKV_BIAS, POST_ATTENTION_NORM)),
          Map.entry("dots1", EnumSet.of(HEAD_NORMS)),
          Map.entry("bailingmoe2", EnumSet.of(HEAD_NORMS, FUSED_QKV)),
          Map.entry(
              "glm4moe",
              EnumSet.of(NO_FEED_FORWARD_NORM, QKV_BIAS, POST_ATTENTION_NORM, CHOICE_BIAS)),
          Map.entry(
              "exaone4",
              EnumSet.of(
                  NO_ATTENTION_NORM,
                  NO_FEED_FORWARD_NORM,
                  HEAD_NORMS,
                  POST_ATTENTION_NORM,
                  POST_FEED_FORWARD_NORM)),
          Map.entry(
              "phi2",
              EnumSet.of(
                  NORM_BIAS,
                  NO_FEED_FORWARD_NORM,
                  QKV_BIAS,
                  OUTPUT_BIAS,
                  UNGATED,
                  FEED_FORWARD_BIAS,
                  READ_OUT_BIAS)),
          Map.entry(
              "gptneox",
              EnumSet.of(NORM_BIAS, FUSED_QKV, QKV_BIAS, OUTPUT_BIAS, UNGATED, FEED_FORWARD_BIAS)),
          Map.entry("stablelm", EnumSet.of(NORM_BIAS)),
          Map.entry("orion", EnumSet.of(NORM_BIAS)),
          Map.entry("olmo", EnumSet.of(NO_ATTENTION_NORM, NO_FEED_FORWARD_NORM, BARE_NORMS)),
          Map.entry("hunyuan-dense", EnumSet.of(HEAD_NORMS)),
          Map.entry("hunyuan-moe", EnumSet.of(HEAD_NORMS)));

  /** Whether an architecture's layers have this. */
  boolean in(String architecture) {
    return OF.getOrDefault(architecture, Set.of()).contains(this);
  }
}
