package io.gatun.cli;

import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.sample.SamplerSettings;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.model.gguf.GgufValue;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.tensor.DType;
import io.gatun.tensor.Quantization;
import io.gatun.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;

/**
 * {@code gatun warm-up}: does once, on a model of a few kilobytes made for it, what every run does,
 * so that the JVM can record which classes that takes.
 */
@Command(name = "warm-up", hidden = true, description = "Exercises the start-up path.")
public final class WarmUpCommand implements CliCommand {
  private static final int WIDTH = 32;
  private static final int TOKENS = 300;

  @Override
  public Integer call() throws IOException {
    Path file = Files.createTempFile("gatun", ".gguf");
    try {
      write(file);
      int code = Main.run("run", file.toString(), "-p", "a b c", "-n", "4", "--stats");
      try (Model model = Model.load(file, LoadOptions.defaults());
          Engine engine = Engine.open(model, EngineOptions.defaults().withContextTokens(256))) {
        var _ =
            engine
                .submit(
                    GenerateRequest.of(1, 2, 3)
                        .withMaxTokens(4)
                        .withSampling(SamplerSettings.standard()))
                .finishReason();
      }
      return code;
    } finally {
      var _ = Files.deleteIfExists(file);
    }
  }

  /** A Llama of one layer that always says the same. */
  private static void write(Path file) throws IOException {
    GgufWriter out =
        new GgufWriter()
            .put("general.architecture", "llama")
            .put("llama.context_length", 256)
            .put("llama.embedding_length", WIDTH)
            .put("llama.block_count", 1)
            .put("llama.feed_forward_length", WIDTH)
            .put("llama.attention.head_count", 2)
            .put("llama.attention.layer_norm_rms_epsilon", 1e-5f)
            .put("llama.rope.dimension_count", WIDTH / 2)
            .put("tokenizer.ggml.model", "llama");
    vocabulary(out);
    for (String name : List.of("token_embd", "output")) {
      matrix(out, name, TOKENS);
    }
    for (String name :
        List.of("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")) {
      matrix(out, "blk.0." + name, WIDTH);
    }
    for (String name : List.of("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm")) {
      out.tensor(
          name + ".weight",
          DType.F32,
          Shape.of(WIDTH),
          Quantization.quantize(DType.F32, new float[WIDTH], WIDTH));
    }
    out.write(file);
  }

  private static void vocabulary(GgufWriter out) {
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    for (int b = 0; b < 256; b++) {
      tokens.add("<0x%02X>".formatted(b));
    }
    while (tokens.size() < TOKENS) {
      tokens.add("▁t" + tokens.size());
    }
    long[] kinds = new long[TOKENS];
    for (int i = 0; i < TOKENS; i++) {
      kinds[i] = i == 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1;
    }
    out.put("tokenizer.ggml.tokens", new GgufValue.Texts(tokens))
        .put("tokenizer.ggml.scores", new GgufValue.Floats(6, new double[TOKENS]))
        .put("tokenizer.ggml.token_type", new GgufValue.Ints(5, kinds));
  }

  private static void matrix(GgufWriter out, String name, int rows) {
    float[] values = new float[WIDTH * rows];
    for (int i = 0; i < values.length; i++) {
      values[i] = (i * 37 % 101 - 50) / 200f;
    }
    out.tensor(
        name + ".weight",
        DType.F32,
        Shape.of(WIDTH, rows),
        Quantization.quantize(DType.F32, values, WIDTH));
  }
}
