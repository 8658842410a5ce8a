package io.gatun.tests.kit;

/**
 * Multi-head latent attention's tensors, by the numbers in a shape's metadata: with matrices of
 * each head when there is {@code attention.key_length_mla}, and with two matrices for queries when
 * {@code attention.q_lora_rank} is not 0.
 */
record MadeLatentAttention(ModelShape shape, MadeTensors tensors) {

  /** Whether a shape has it. */
  static boolean in(ModelShape shape) {
    return shape.metadata().containsKey("attention.kv_lora_rank");
  }

  void add(String b) {
    int e = shape.embedding();
    int heads = shape.heads();
    boolean absorbed = shape.metadata().containsKey("attention.key_length_mla");
    int key = number(absorbed ? "attention.key_length_mla" : "attention.key_length");
    int value = number(absorbed ? "attention.value_length_mla" : "attention.value_length");
    int latent = number("attention.kv_lora_rank");
    int turned = number("rope.dimension_count");
    int rank = number("attention.q_lora_rank");
    if (rank > 0) {
      tensors.matrix(b + "attn_q_a.weight", e, rank);
      tensors.vector(b + "attn_q_a_norm.weight", rank, 0.5f, 1.5f);
      tensors.matrix(b + "attn_q_b.weight", rank, heads * key);
    } else {
      tensors.matrix(b + "attn_q.weight", e, heads * key);
    }
    tensors.matrix(b + "attn_kv_a_mqa.weight", e, latent + turned);
    tensors.vector(b + "attn_kv_a_norm.weight", latent, 0.5f, 1.5f);
    if (absorbed) {
      tensors.matrices(b + "attn_k_b.weight", key - turned, latent, heads);
      tensors.matrices(b + "attn_v_b.weight", latent, value, heads);
    } else {
      tensors.matrix(b + "attn_kv_b.weight", latent, heads * (key - turned + value));
    }
    tensors.matrix(b + "attn_output.weight", heads * value, e);
  }

  private int number(String key) {
    return (int) shape.metadata().getOrDefault(key, 0);
  }
}
