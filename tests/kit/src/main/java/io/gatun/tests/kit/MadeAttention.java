package io.gatun.tests.kit;

/** The tensors of a layer's attention, with its norms. */
record MadeAttention(ModelShape shape, MadeTensors tensors) {

  void add(String b) {
    int e = shape.embedding();
    int d = shape.headDim();
    int q = d * shape.heads();
    int kv = d * shape.kvHeads();
    if (has(BlockTraits.BERT_NORMS)) {
      tensors.norm(b + "attn_output_norm", e);
      tensors.norm(b + "layer_output_norm", e);
    } else if (!has(BlockTraits.NO_ATTENTION_NORM)
        && !(has(BlockTraits.EMBEDDING_NORM) && b.equals("blk.0."))) {
      tensors.norm(b + "attn_norm", e);
    }
    if (MadeLatentAttention.in(shape)) {
      new MadeLatentAttention(shape, tensors).add(b);
      return;
    }
    if (has(BlockTraits.FUSED_QKV)) {
      tensors.matrix(b + "attn_qkv.weight", e, q + 2 * kv);
    } else {
      tensors.matrix(b + "attn_q.weight", e, q);
      tensors.matrix(b + "attn_k.weight", e, kv);
      tensors.matrix(b + "attn_v.weight", e, kv);
    }
    tensors.matrix(b + "attn_output.weight", q, e);
    if (has(BlockTraits.QKV_BIAS)) {
      if (has(BlockTraits.FUSED_QKV)) {
        tensors.bias(b + "attn_qkv", q + 2 * kv);
      } else {
        tensors.bias(b + "attn_q", q);
        tensors.bias(b + "attn_k", kv);
        tensors.bias(b + "attn_v", kv);
      }
    }
    if (has(BlockTraits.OUTPUT_BIAS)) {
      tensors.bias(b + "attn_output", e);
    }
    if (has(BlockTraits.SINKS)) {
      tensors.vector(b + "attn_sinks.weight", shape.heads(), -1f, 1f);
    }
    if (has(BlockTraits.HEAD_NORMS)) {
      tensors.vector(b + "attn_q_norm.weight", d, 0.5f, 1.5f);
      tensors.vector(b + "attn_k_norm.weight", d, 0.5f, 1.5f);
    }
    if (shape.metadata().containsKey(ModelShape.BESIDE)) {
      tensors.table(b + "attn_q_norm.weight", d, shape.heads());
      tensors.table(b + "attn_k_norm.weight", d, shape.kvHeads());
    }
    if (has(BlockTraits.WIDE_NORMS)) {
      tensors.vector(b + "attn_q_norm.weight", q, 0.5f, 1.5f);
      tensors.vector(b + "attn_k_norm.weight", kv, 0.5f, 1.5f);
    }
    if (has(BlockTraits.POST_ATTENTION_NORM)) {
      tensors.norm(b + "post_attention_norm", e);
    }
    if (has(BlockTraits.POST_FEED_FORWARD_NORM)) {
      tensors.norm(b + "post_ffw_norm", e);
    }
  }

  private boolean has(BlockTraits trait) {
    return trait.in(shape.architecture());
  }
}
