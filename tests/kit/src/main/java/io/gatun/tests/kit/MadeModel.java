package io.gatun.tests.kit;

import io.gatun.model.gguf.GgufValue;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.tensor.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Writes GGUF files with random weights and the names and shapes that an architecture really has,
 * for comparisons with libllama and for measurements. They have no vocabulary: token ids only.
 */
public final class MadeModel {
  private static final int CONTEXT = 2048;

  /** GGUF's number of this type of value. */
  private static final int INT32 = 5;

  private final ModelShape shape;
  private final GgufWriter out = new GgufWriter();
  private final MadeTensors tensors;
  private final MadeAttention attention;

  private MadeModel(ModelShape shape, Function<String, DType> types, long seed) {
    this.shape = shape;
    this.tensors =
        new MadeTensors(out, types, seed, BlockTraits.NORM_BIAS.in(shape.architecture()));
    this.attention = new MadeAttention(shape, tensors);
  }

  /** Writes a model whose matrices all have one type. */
  public static Path write(Path file, ModelShape shape, DType type, long seed) {
    return write(file, shape, _ -> type, seed);
  }

  /** Writes a model whose matrices have types by their names. */
  public static Path write(Path file, ModelShape shape, Function<String, DType> types, long seed) {
    MadeModel made = new MadeModel(shape, types, seed);
    made.metadata();
    made.tensors();
    try {
      made.out.write(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return file;
  }

  /**
   * The types of a Q4_K_M file: more bits for the values, the down projection of some layers, and
   * the output.
   */
  public static Function<String, DType> q4km(ModelShape shape) {
    int n = shape.layers();
    return name -> {
      if (name.startsWith("output.") || (shape.tied() && name.startsWith("token_embd"))) {
        return DType.Q6_K;
      }
      if (name.contains("attn_v") || name.contains("ffn_down")) {
        int layer = Integer.parseInt(name.substring(4, name.indexOf('.', 4)));
        boolean more = layer < n / 8 || layer >= 7 * n / 8 || (layer - n / 8) % 3 == 2;
        return more ? DType.Q6_K : DType.Q4_K;
      }
      return DType.Q4_K;
    };
  }

  private void metadata() {
    String a = shape.architecture() + ".";
    out.put("general.architecture", shape.architecture())
        .put("general.name", "made " + shape.architecture())
        .put(a + "vocab_size", shape.vocabulary())
        .put(a + "context_length", CONTEXT)
        .put(a + "embedding_length", shape.embedding())
        .put(a + "block_count", shape.layers())
        .put(a + "feed_forward_length", shape.feedForward())
        .put(a + "attention.head_count", shape.heads())
        .put(a + "attention.head_count_kv", shape.kvHeads())
        .put(a + "attention.key_length", shape.headDim())
        .put(a + "attention.value_length", shape.headDim())
        .put(a + "rope.dimension_count", shape.headDim())
        .put(a + "attention.layer_norm_rms_epsilon", 1e-5f)
        .put(a + "attention.layer_norm_epsilon", 1e-5f)
        .put("tokenizer.ggml.model", "no_vocab");
    if (shape.experts() > 0) {
      out.put(a + "expert_count", shape.experts())
          .put(a + "expert_used_count", shape.expertsPerToken())
          .put(a + "expert_feed_forward_length", shape.feedForward());
    }
    if (shape.metadata().get("made.labels") instanceof Integer labels) {
      List<String> names = IntStream.range(0, labels).mapToObj(i -> "label " + i).toList();
      out.put(a + "classifier.output_labels", new GgufValue.Texts(names));
    }
    if (has(BlockTraits.BERT_NORMS)) {
      out.put("tokenizer.ggml.token_type_count", 2);
    }
    shape
        .metadata()
        .forEach((key, value) -> {
          switch (value) {
            case Integer v -> out.put(a + key, (int) v);
            case Float v -> out.put(a + key, (float) v);
            case Boolean v -> out.put(a + key, (boolean) v);
            case int[] v ->
                out.put(
                    a + key, new GgufValue.Ints(INT32, Arrays.stream(v).asLongStream().toArray()));
            default -> out.put(a + key, value.toString());
          }
        });
  }

  private void tensors() {
    int e = shape.embedding();
    tensors.matrix("token_embd.weight", e, shape.vocabulary());
    if (has(BlockTraits.BERT_NORMS)) {
      tensors.norm("token_embd_norm", e);
      tensors.table("token_types.weight", e, 2);
    } else if (!has(BlockTraits.BARE_NORMS)) {
      tensors.norm("output_norm", e);
    }
    if (has(BlockTraits.EMBEDDING_NORM)) {
      tensors.norm("token_embd_norm", e);
    }
    if (has(BlockTraits.POSITIONS)) {
      tensors.table("position_embd.weight", e, CONTEXT);
    }
    classifier(e);
    if (!shape.tied() && !has(BlockTraits.BERT_NORMS)) {
      tensors.matrix("output.weight", e, shape.vocabulary());
      if (has(BlockTraits.READ_OUT_BIAS)) {
        tensors.bias("output", shape.vocabulary());
      }
    }
    for (int layer = 0; layer < shape.layers(); layer++) {
      String b = "blk." + layer + ".";
      attention.add(b);
      feedForward(b, expertsOn(layer));
    }
    if (shape.architecture().startsWith("llama") && shape.ropeFactors()) {
      tensors.vector("rope_freqs.weight", shape.headDim() / 2, 1f, 32f);
    }
    if (shape.metadata().containsKey("rope.scaling.original_context_length")
        && shape.architecture().equals("phi3")) {
      tensors.vector("rope_factors_long.weight", shape.headDim() / 2, 1f, 4f);
      tensors.vector("rope_factors_short.weight", shape.headDim() / 2, 1f, 1.5f);
    }
  }

  /** What a reranker has, when its shape asks for labels. */
  private void classifier(int e) {
    if (shape.metadata().get("made.labels") instanceof Integer labels) {
      if (!shape.architecture().startsWith("qwen")) {
        tensors.matrix("cls.weight", e, e);
        if (has(BlockTraits.NORM_BIAS)) {
          tensors.bias("cls", e);
        }
      }
      tensors.matrix("cls.output.weight", e, labels);
    }
  }

  private boolean expertsOn(int layer) {
    int dense = (int) shape.metadata().getOrDefault("leading_dense_block_count", 0);
    int step = (int) shape.metadata().getOrDefault("interleave_moe_layer_step", 1);
    if (shape.metadata().get("moe_every_n_layers") instanceof Integer every) {
      return layer % every == 1;
    }
    return shape.experts() > 0 && layer >= dense && (layer + 1) % step == 0;
  }

  private boolean has(BlockTraits trait) {
    return trait.in(shape.architecture());
  }

  private void feedForward(String b, boolean experts) {
    int e = shape.embedding();
    int f = shape.feedForward();
    if (!has(BlockTraits.NO_FEED_FORWARD_NORM)
        && !has(BlockTraits.BERT_NORMS)
        && !shape.metadata().containsKey(ModelShape.BESIDE)) {
      tensors.norm(b + "ffn_norm", e);
    }
    if (experts) {
      experts(b, e, f, shape.experts());
      return;
    }
    if (!has(BlockTraits.FUSED_GATE) && !has(BlockTraits.UNGATED)) {
      tensors.matrix(b + "ffn_gate.weight", e, f);
    }
    tensors.matrix(b + "ffn_up.weight", e, has(BlockTraits.FUSED_GATE) ? 2 * f : f);
    tensors.matrix(b + "ffn_down.weight", f, e);
    if (has(BlockTraits.FEED_FORWARD_BIAS)) {
      tensors.bias(b + "ffn_up", f);
    }
    if (has(BlockTraits.FEED_FORWARD_BIAS) || has(BlockTraits.DOWN_BIAS)) {
      tensors.bias(b + "ffn_down", e);
    }
  }

  private void experts(String b, int e, int f, int x) {
    tensors.router(b + "ffn_gate_inp.weight", e, x);
    if (shape.metadata().containsKey(ModelShape.GATE_UP)) {
      tensors.matrices(b + "ffn_gate_up_exps.weight", e, 2 * f, x);
    } else {
      if (!has(BlockTraits.UNGATED)) {
        tensors.matrices(b + "ffn_gate_exps.weight", e, f, x);
      }
      tensors.matrices(b + "ffn_up_exps.weight", e, f, x);
    }
    tensors.matrices(b + "ffn_down_exps.weight", f, e, x);
    if (has(BlockTraits.EXPERT_BIAS)) {
      tensors.bias(b + "ffn_gate_inp", x);
      tensors.table(b + "ffn_gate_exps.bias", f, x);
      tensors.table(b + "ffn_up_exps.bias", f, x);
      tensors.table(b + "ffn_down_exps.bias", e, x);
    }
    if (has(BlockTraits.CHOICE_BIAS) || shape.metadata().containsKey(ModelShape.CHOICE_BIAS)) {
      tensors.bias(b + "exp_probs_b", x);
    }
    if (has(BlockTraits.GATED_SHARED)) {
      tensors.vector(b + "ffn_gate_inp_shexp.weight", e, -0.1f, 0.1f);
    }
    if (shape.metadata().containsKey("expert_shared_feed_forward_length")) {
      shared(b, e, f);
    } else if (shape.metadata().get("expert_shared_count") instanceof Integer count) {
      shared(b, e, count * f);
    }
  }

  private void shared(String b, int e, int f) {
    tensors.matrix(b + "ffn_gate_shexp.weight", e, f);
    tensors.matrix(b + "ffn_up_shexp.weight", e, f);
    tensors.matrix(b + "ffn_down_shexp.weight", f, e);
  }
}
