package io.gatun.adapters.training;

import io.gatun.model.gguf.GgufValue;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.tensor.DType;
import io.gatun.tensor.Quantization;
import io.gatun.tensor.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Writes a Llama-architecture model with random weights and a learned vocabulary, to be trained
 * from the beginning. Input and output share one table.
 *
 * @param width E
 * @param layers L
 * @param heads H; E/H values each
 * @param kvHeads G
 * @param feedForward F
 * @param context the most tokens of a text
 */
public record NewModel(
    int width, int layers, int heads, int kvHeads, int feedForward, int context) {
  /** The token that begins and ends a text; the last of the vocabulary. */
  private static final String END = "<|endoftext|>";

  private static final int NORMAL_TOKEN = 1;
  private static final int CONTROL_TOKEN = 3;
  private static final int INT32 = 5;

  public NewModel {
    if (width % heads != 0 || heads % kvHeads != 0 || width / heads % 2 != 0) {
      throw new IllegalArgumentException(
          "width %d, heads %d and kv heads %d do not go together".formatted(width, heads, kvHeads));
    }
  }

  /** Writes it; the same seed gives the same file. */
  public void write(Path file, String name, BpeTrainer.Bpe vocabulary, long seed)
      throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    GgufWriter out = new GgufWriter();
    List<String> tokens = new ArrayList<>(vocabulary.tokens());
    tokens.add(END);
    metadata(out, name, tokens, vocabulary.merges());
    int kv = width / heads * kvHeads;
    // As GPT-2: 0.02, and less for what is added to the residual stream 2L times.
    double residual = 0.02 / Math.sqrt(2.0 * layers);
    matrix(out, "token_embd.weight", width, tokens.size(), 0.02, random);
    for (int l = 0; l < layers; l++) {
      String b = "blk." + l + ".";
      ones(out, b + "attn_norm.weight");
      matrix(out, b + "attn_q.weight", width, width, 0.02, random);
      matrix(out, b + "attn_k.weight", width, kv, 0.02, random);
      matrix(out, b + "attn_v.weight", width, kv, 0.02, random);
      matrix(out, b + "attn_output.weight", width, width, residual, random);
      ones(out, b + "ffn_norm.weight");
      matrix(out, b + "ffn_gate.weight", width, feedForward, 0.02, random);
      matrix(out, b + "ffn_up.weight", width, feedForward, 0.02, random);
      matrix(out, b + "ffn_down.weight", feedForward, width, residual, random);
    }
    ones(out, "output_norm.weight");
    out.write(file);
  }

  private void metadata(GgufWriter out, String name, List<String> tokens, List<String> merges) {
    int end = tokens.size() - 1;
    long[] types = new long[tokens.size()];
    Arrays.fill(types, NORMAL_TOKEN);
    types[end] = CONTROL_TOKEN;
    out.put("general.architecture", "llama")
        .put("general.name", name)
        .put("llama.vocab_size", tokens.size())
        .put("llama.context_length", context)
        .put("llama.embedding_length", width)
        .put("llama.block_count", layers)
        .put("llama.feed_forward_length", feedForward)
        .put("llama.attention.head_count", heads)
        .put("llama.attention.head_count_kv", kvHeads)
        .put("llama.rope.dimension_count", width / heads)
        .put("llama.attention.layer_norm_rms_epsilon", 1e-5f)
        .put("tokenizer.ggml.model", "gpt2")
        .put("tokenizer.ggml.pre", "gpt-2")
        .put("tokenizer.ggml.tokens", new GgufValue.Texts(tokens))
        .put("tokenizer.ggml.token_type", new GgufValue.Ints(INT32, types))
        .put("tokenizer.ggml.merges", new GgufValue.Texts(merges))
        .put("tokenizer.ggml.bos_token_id", end)
        .put("tokenizer.ggml.eos_token_id", end)
        .put("tokenizer.ggml.add_bos_token", true);
  }

  private void ones(GgufWriter out, String name) {
    float[] values = new float[width];
    Arrays.fill(values, 1f);
    out.tensor(name, DType.F32, Shape.of(width), Quantization.quantize(DType.F32, values, width));
  }

  private static void matrix(
      GgufWriter out, String name, int in, int rows, double deviation, SplittableRandom random) {
    float[] values = new float[in * rows];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
    out.tensor(name, DType.F32, Shape.of(in, rows), Quantization.quantize(DType.F32, values, in));
  }
}
