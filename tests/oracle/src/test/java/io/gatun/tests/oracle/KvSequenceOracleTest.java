package io.gatun.tests.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.KvSequence;
import io.gatun.engine.LogitsObserver;
import io.gatun.model.KvTypes;
import io.gatun.model.LoadOptions;
import io.gatun.model.LoadOptions.Repacking;
import io.gatun.model.Model;
import io.gatun.tensor.DType;
import io.gatun.tensor.llama.LlamaContext;
import io.gatun.tensor.llama.LlamaModel;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What sequences do to their cells, against what libllama's memory does. */
@Timeout(120)
class KvSequenceOracleTest {
  @TempDir Path folder;

  /**
   * YaRN, frequency factors, partly turned heads, windows, quantised and Hadamard-turned keys, keys
   * that hold values.
   */
  @ParameterizedTest
  @CsvSource({
    "llama, F32",
    "llama, F16",
    "qwen3, Q8_0",
    "phi3, F16",
    "gemma2, F32",
    "glm4, F32",
    "deepseek2, F32",
    "deepseek2 old, F16"
  })
  void keys_of_moved_tokens_are_libllamas(String architecture, DType type) throws Exception {
    ModelShape shape = shape(architecture);
    Path file = MadeModel.write(folder.resolve("model.gguf"), shape, DType.F32, 1);
    int[] tokens = tokens(shape, 90);
    float[] moved;
    try (Model model = load(file);
        Engine engine = Engine.open(model, options(256, 512, 64).withKvTypes(KvTypes.of(type)));
        KvSequence sequence = engine.newSequence()) {
      sequence.append(Arrays.copyOf(tokens, 89));
      sequence.remove(4, 30);
      assertThat(sequence.resident()).isEqualTo(63);
      moved = next(engine, sequence, tokens[89]);
    }
    try (LlamaModel model = LlamaModel.load(file, false, 0);
        LlamaContext context = new LlamaContext(model, 256, 256, 1, 2, type, type)) {
      decode(context, Arrays.copyOf(tokens, 89), 0);
      float[] before = decode(context, new int[] {tokens[89]}, 89);
      context.forget(0, 89);
      context.remove(0, 4, 30);
      float[] theirs = decode(context, new int[] {tokens[89]}, 63);
      double difference = Distance.of(moved, theirs);
      assertThat(difference).isLessThan(0.02);
      assertThat(Distance.of(before, theirs)).as("moving changes").isGreaterThan(5 * difference);
    }
  }

  /**
   * In a model of one layer a token's key and value know nothing of the tokens before it, so that
   * what has moved is what would have been computed there.
   */
  @ParameterizedTest
  @CsvSource({
    "llama",
    "phi3",
    "gemma2",
    "gpt-oss",
    "glm4",
    "cohere2",
    "smollm3",
    "falcon",
    "deepseek2",
    "deepseek2 old",
    "llama4"
  })
  void in_one_layer_moved_tokens_are_those_computed_there(String architecture) throws Exception {
    ModelShape shape = shape(architecture).withLayers(1);
    if (architecture.startsWith("deepseek2")) {
      shape =
          shape
              .with("rope.scaling.type", "yarn")
              .with("rope.scaling.factor", 4f)
              .with("rope.scaling.original_context_length", 64)
              .with("rope.scaling.yarn_log_multiplier", 0.1f);
    }
    Path file = MadeModel.write(folder.resolve("model.gguf"), shape, DType.F32, 1);
    int[] tokens = tokens(shape, 90);
    int[] left = Arrays.copyOf(tokens, 63);
    System.arraycopy(tokens, 30, left, 4, 59);
    EngineOptions options = options(256, 512, 64).withKvTypes(KvTypes.of(DType.F32));
    try (Model model = load(file);
        Engine engine = Engine.open(model, options);
        KvSequence moved = engine.newSequence();
        KvSequence computed = engine.newSequence()) {
      moved.append(Arrays.copyOf(tokens, 89));
      computed.append(left);
      try (KvSequence fork = moved.fork()) {
        float[] before = next(engine, fork, tokens[89]);
        moved.remove(4, 30);
        assertThat(moved.tokens()).isEqualTo(left);
        float[] expected = next(engine, computed, tokens[89]);
        assertThat(Distance.of(next(engine, moved, tokens[89]), expected)).isLessThan(1e-4);
        assertThat(next(engine, fork, tokens[89])).as("the fork's are its own").isEqualTo(before);
      }
    }
  }

  /** libllama's own way to move these ends its process. */
  @Test
  void quantised_keys_that_hold_values_move_as_others() throws Exception {
    ModelShape shape = ModelShape.latent().withLayers(1);
    Path file = MadeModel.write(folder.resolve("model.gguf"), shape, DType.F32, 1);
    int[] tokens = tokens(shape, 90);
    int[] left = Arrays.copyOf(tokens, 63);
    System.arraycopy(tokens, 30, left, 4, 59);
    EngineOptions options = options(256, 512, 64).withKvTypes(KvTypes.of(DType.Q8_0));
    try (Model model = load(file);
        Engine engine = Engine.open(model, options);
        KvSequence moved = engine.newSequence();
        KvSequence computed = engine.newSequence()) {
      moved.append(Arrays.copyOf(tokens, 89));
      computed.append(left);
      float[] before = next(engine, moved, tokens[89]);
      moved.remove(4, 30);
      float[] expected = next(engine, computed, tokens[89]);
      double difference = Distance.of(next(engine, moved, tokens[89]), expected);
      assertThat(difference).isLessThan(0.02);
      assertThat(Distance.of(before, expected)).isGreaterThan(5 * difference);
    }
  }

  /**
   * A context of many windows, of which layers with a window have cells for little more than one.
   */
  @ParameterizedTest
  @CsvSource({"gemma2", "gpt-oss", "cohere2"})
  void layers_with_a_window_need_only_its_cells(String architecture) throws Exception {
    ModelShape shape = shape(architecture);
    Path file = MadeModel.write(folder.resolve("model.gguf"), shape, DType.F32, 1);
    int[] tokens = tokens(shape, 1000);
    float[] theirs;
    try (LlamaModel model = LlamaModel.load(file, false, 0);
        LlamaContext context = new LlamaContext(model, 1024, 512, 1, 2)) {
      decode(context, Arrays.copyOf(tokens, 500), 0);
      decode(context, Arrays.copyOfRange(tokens, 500, 999), 500);
      theirs = decode(context, new int[] {tokens[999]}, 999);
    }
    EngineOptions options = options(1024, 64, 1);
    try (Model model = load(file);
        Engine engine = Engine.open(model, options);
        KvSequence sequence = engine.newSequence()) {
      assertThat(Engine.kvSize(model.hyperparams(), options).windowed()).isEqualTo(256);
      sequence.append(Arrays.copyOf(tokens, 999));
      assertThat(Distance.of(next(engine, sequence, tokens[999]), theirs)).isLessThan(0.01);
      sequence.rewind(995); // within what is held
      assertThat(sequence.resident()).isEqualTo(995);
      sequence.append(Arrays.copyOfRange(tokens, 995, 999));
      assertThat(Distance.of(next(engine, sequence, tokens[999]), theirs)).isLessThan(0.01);
      sequence.rewind(200); // whose window is gone: all has to be computed again
      assertThat(sequence.resident()).isZero();
      sequence.append(Arrays.copyOfRange(tokens, 200, 999));
      assertThat(Distance.of(next(engine, sequence, tokens[999]), theirs)).isLessThan(0.01);
    }
  }

  private static ModelShape shape(String architecture) {
    ModelShape shape = ModelShape.tiny(architecture).withHeads(4, 2, 64);
    return switch (architecture) {
      case "llama4" -> ModelShape.chunked(4, 1);
      case "deepseek2" -> ModelShape.latent();
      case "deepseek2 old" -> ModelShape.latentOfHeads();
      case "gemma2" -> shape.withTied().with("attention.sliding_window", 48);
      case "gpt-oss" ->
          shape
              .withExperts(4, 2)
              .with("attention.sliding_window", 48)
              .with("rope.scaling.type", "yarn")
              .with("rope.scaling.factor", 4f)
              .with("rope.scaling.original_context_length", 64);
      case "cohere2" ->
          shape.withTied().with("attention.sliding_window", 48).with("logit_scale", 0.25f);
      default -> shape;
    };
  }

  private static int[] tokens(ModelShape shape, int count) {
    return new SplittableRandom(5).ints(count, 0, shape.vocabulary()).toArray();
  }

  private static Model load(Path file) throws Exception {
    return Model.load(file, LoadOptions.defaults().withRepack(Repacking.NONE).withGpuLayers(0));
  }

  private static EngineOptions options(int context, int batch, int sequences) {
    return EngineOptions.defaults()
        .withContextTokens(context)
        .withThreads(2)
        .withBatchRows(batch)
        .withSequencesMax(sequences);
  }

  /** Logits behind one more token, which is forgotten afterwards. */
  private static float[] next(Engine engine, KvSequence sequence, int token) {
    int size = sequence.size();
    int[] all = Arrays.copyOf(sequence.tokens(), size + 1);
    all[size] = token;
    float[][] last = new float[1][];
    LogitsObserver observer =
        new LogitsObserver() {
          @Override
          public void observe(int position, float[] logits, int count) {
            assertThat(position).isEqualTo(size);
            last[0] = Arrays.copyOf(logits, count);
          }

          @Override
          public boolean everyRow() {
            return false;
          }
        };
    var _ =
        engine
            .submit(
                GenerateRequest.of(all).withMaxTokens(0).withKeep(sequence).withObserver(observer))
            .finishReason();
    sequence.trim(1);
    return last[0];
  }

  private static float[] decode(LlamaContext context, int[] tokens, int from) {
    int[] positions = new int[tokens.length];
    Arrays.setAll(positions, i -> from + i);
    boolean[] wanted = new boolean[tokens.length];
    wanted[tokens.length - 1] = true;
    context.decode(tokens, positions, new int[tokens.length], wanted);
    return context.logits(tokens.length - 1);
  }
}
