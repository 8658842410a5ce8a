package io.gatun.tests.benchmarks;

import io.gatun.tensor.DType;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Function;

/**
 * Writes a model of real shape with random weights: {@code MakeModel NAME TYPE FILE}, where NAME is
 * llama-1b, qwen3-0.6b, moe-64, latent-4 or latent-4-old, and TYPE is q4_k_m or an element type
 * such as q4_0, q8_0 or f16.
 */
public final class MakeModel {
  private MakeModel() {}

  public static void main(String[] args) {
    ModelShape shape =
        switch (args[0]) {
          case "llama-1b" -> ModelShape.llama1b();
          case "qwen3-0.6b" -> ModelShape.qwen06b();
          case "moe-64" -> ModelShape.moe64();
          case "latent-4" -> ModelShape.latent4(true);
          case "latent-4-old" -> ModelShape.latent4(false);
          default -> throw new IllegalArgumentException("no shape is named " + args[0]);
        };
    String type = args[1].toUpperCase(Locale.ROOT);
    Function<String, DType> types =
        type.equals("Q4_K_M") ? MadeModel.q4km(shape) : uniform(DType.valueOf(type));
    var _ = MadeModel.write(Path.of(args[2]), shape, types, 1);
  }

  /** llama.cpp keeps the output matrix of a 4-bit model in Q6_K. */
  private static Function<String, DType> uniform(DType type) {
    return name -> type == DType.Q4_0 && name.startsWith("token_embd") ? DType.Q6_K : type;
  }
}
