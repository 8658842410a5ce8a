package io.gatun.tests.kit;

import io.gatun.model.gguf.GgufWriter;
import io.gatun.tensor.DType;
import io.gatun.tensor.Quantization;
import io.gatun.tensor.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/** Writes a small Mamba with random weights: a model whose layers carry a state, not a cache. */
public final class MadeMamba {
  private static final int WIDTH = 64;
  private static final int INNER = 2 * WIDTH;
  private static final int STATE = 8;
  private static final int RANK = 4;
  private static final int KERNEL = 4;
  private static final int VOCABULARY = 300;
  private static final int LAYERS = 2;

  private final SplittableRandom random;
  private final GgufWriter out = new GgufWriter();

  private MadeMamba(long seed) {
    random = new SplittableRandom(seed);
  }

  /** Writes one. */
  public static Path write(Path file, long seed) {
    MadeMamba made = new MadeMamba(seed);
    made.metadata();
    made.tensors();
    try {
      made.out.write(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return file;
  }

  private void metadata() {
    out.put("general.architecture", "mamba")
        .put("mamba.vocab_size", VOCABULARY)
        .put("mamba.context_length", 2048)
        .put("mamba.embedding_length", WIDTH)
        .put("mamba.feed_forward_length", 0)
        .put("mamba.attention.head_count", 0)
        .put("mamba.block_count", LAYERS)
        .put("mamba.ssm.conv_kernel", KERNEL)
        .put("mamba.ssm.inner_size", INNER)
        .put("mamba.ssm.state_size", STATE)
        .put("mamba.ssm.time_step_rank", RANK)
        .put("mamba.attention.layer_norm_rms_epsilon", 1e-5f)
        .put("tokenizer.ggml.model", "no_vocab");
  }

  private void tensors() {
    noise("token_embd.weight", 1f, WIDTH, VOCABULARY);
    tensor("output_norm.weight", () -> 1f, WIDTH);
    for (int layer = 0; layer < LAYERS; layer++) {
      String b = "blk." + layer + ".";
      tensor(b + "attn_norm.weight", () -> 1f, WIDTH);
      noise(b + "ssm_in.weight", 0.2f, WIDTH, 2 * INNER);
      noise(b + "ssm_conv1d.weight", 0.5f, KERNEL, INNER);
      noise(b + "ssm_conv1d.bias", 0.1f, INNER);
      noise(b + "ssm_x.weight", 0.2f, INNER, RANK + 2 * STATE);
      noise(b + "ssm_dt.weight", 0.3f, RANK, INNER);
      noise(b + "ssm_dt.bias", 0.3f, INNER);
      tensor(b + "ssm_a", () -> -0.1f - random.nextFloat(), STATE, INNER); // states decay
      tensor(b + "ssm_d", () -> 1f, INNER);
      noise(b + "ssm_out.weight", 0.2f, INNER, WIDTH);
    }
  }

  private void noise(String name, float size, long... dims) {
    tensor(name, () -> size * (float) random.nextGaussian(), dims);
  }

  private void tensor(String name, Supplier<Float> next, long... dims) {
    Shape shape = Shape.of(dims);
    float[] values = new float[Math.toIntExact(Arrays.stream(dims).reduce(1, Math::multiplyExact))];
    for (int i = 0; i < values.length; i++) {
      values[i] = next.get();
    }
    out.tensor(name, DType.F32, shape, Quantization.quantize(DType.F32, values, (int) shape.d0()));
  }
}
