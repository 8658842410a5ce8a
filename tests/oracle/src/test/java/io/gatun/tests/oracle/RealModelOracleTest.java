package io.gatun.tests.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.Perplexity;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.tensor.DType;
import io.gatun.tensor.Kernels;
import io.gatun.tensor.llama.LlamaContext;
import io.gatun.tensor.llama.LlamaModel;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import io.gatun.tests.kit.SharedFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class RealModelOracleTest {
  private static final int CHUNK = 512;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void stories_give_the_logits_of_libllama(int threads) throws Exception {
    Path file = SharedFiles.stories();
    try (Model model = Model.load(file, LoadOptions.defaults())) {
      int[] one = model.vocabulary().encode("Once upon a time", true, false);
      int[] two = model.vocabulary().encode("Lily and Tom went to the park. They", true, false);
      new Lockstep(file, false, threads).compare(List.of(one, two), 300, false);
    }
  }

  /** Every type that GGML computes with, where only the last row of the prompt is wanted. */
  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      // Integers, and what only intermediate values have.
      names = {"I8", "I16", "I32", "I64", "F64", "Q8_1", "Q8_K"})
  void every_type_gives_the_logits_of_libllama(DType type) throws Exception {
    ModelShape shape = ModelShape.tiny("llama").withLayers(2);
    Path file = MadeModel.write(folder.resolve("m.gguf"), shape, type, 5);
    int[] prompt = ArchitectureOracleTest.tokens(shape, 37, 6);
    new Lockstep(file, false, 2).compare(List.of(prompt), 16, false);
    new Lockstep(file, true, 2).compare(List.of(prompt), 16, false);
  }

  @Test
  void perplexity_is_llama_cpps_formula_on_libllamas_logits() throws Exception {
    Path file = SharedFiles.stories();
    String text =
        Files.readString(
                SharedFiles.require("data/text/corpora/tinystories/tinystories-sample-1MB.txt"))
            .substring(0, 12_000);
    try (Model model = Model.load(file, LoadOptions.defaults())) {
      int[] tokens = model.vocabulary().encode(text, true, false);
      double libllamas = oracle(file, tokens, model);
      assertThat(perplexity(model, tokens, Kernels.ggml()))
          .isCloseTo(libllamas, Offset.offset(1e-4));
      // Our kernels round elsewhere: the file's F32 weights meet keys and values of F16.
      assertThat(perplexity(model, tokens, Kernels.own()))
          .isCloseTo(libllamas, Offset.offset(2e-3));
    }
  }

  private static double perplexity(Model model, int[] tokens, Kernels kernels) throws Exception {
    EngineOptions options = EngineOptions.defaults().withContextTokens(CHUNK).withKernels(kernels);
    try (Engine engine = Engine.open(model, options)) {
      return Perplexity.of(engine, tokens, CHUNK, _ -> {}).value();
    }
  }

  private static double oracle(Path file, int[] tokens, Model model) {
    double sum = 0;
    long rated = 0;
    try (LlamaModel llama = LlamaModel.load(file, true, 0);
        LlamaContext context = new LlamaContext(llama, CHUNK, CHUNK, 1, 2)) {
      int[] positions = new int[CHUNK];
      boolean[] wanted = new boolean[CHUNK];
      Arrays.setAll(positions, i -> i);
      Arrays.fill(wanted, true);
      for (int start = 0; start + CHUNK <= tokens.length; start += CHUNK) {
        int[] chunk = Arrays.copyOfRange(tokens, start, start + CHUNK);
        chunk[0] = model.vocabulary().beginToken().orElseThrow();
        context.clear();
        context.decode(chunk, positions, new int[CHUNK], wanted);
        for (int i = CHUNK / 2; i < CHUNK - 1; i++) {
          float[] logits = context.logits(i);
          double mass = 0;
          for (float logit : logits) {
            mass += Math.exp(logit);
          }
          sum += Math.log(mass) - logits[chunk[i + 1]];
          rated++;
        }
      }
    }
    assertThat(rated).isGreaterThan(2000);
    return Math.exp(sum / rated);
  }
}
