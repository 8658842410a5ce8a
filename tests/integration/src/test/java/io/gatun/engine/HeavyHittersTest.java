package io.gatun.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gatun.model.Hyperparams;
import io.gatun.model.KvTypes;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.TensorReader;
import io.gatun.tensor.DType;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What got much attention stays. */
@Timeout(120)
class HeavyHittersTest {
  private static final EngineOptions SMALL =
      EngineOptions.defaults()
          .withContextTokens(512)
          .withThreads(1)
          .withBatchRows(64)
          .withKvTypes(KvTypes.of(DType.F32));

  @TempDir Path folder;

  /**
   * In one layer keys and queries are the tokens' own, so that plain Java can say what they are.
   */
  @Test
  void weights_are_those_of_plain_attention() throws Exception {
    Path file =
        MadeModel.write(
            folder.resolve("m.gguf"), ModelShape.tiny("llama").withLayers(1), DType.F32, 1);
    List<float[]> seen = new ArrayList<>();
    try (Model model = Model.load(file, LoadOptions.defaults());
        Engine engine = Engine.open(model, SMALL)) {
      int[] prompt = tokens(30);
      Generation generation = engine.submit(request(prompt, 100, watching(seen, 40)));
      int[] all = Arrays.copyOf(prompt, 40);
      for (int i = 30; i < 40; i++) {
        all[i] = generation.next().orElseThrow().id();
      }
      assertThat(generation.finishReason()).isEqualTo(FinishReason.CONTEXT_FULL);
      // The last rows of the prompt, and every fourth token behind it.
      int[] queries = IntStream.concat(IntStream.range(14, 30), IntStream.of(32, 36)).toArray();
      double[] expected = new PlainAttention(file, model.hyperparams(), all).sum(queries);
      assertThat(seen).hasSize(1);
      for (int p = 0; p < 40; p++) {
        assertThat((double) seen.getFirst()[p])
            .as("token " + p)
            .isCloseTo(expected[p], within(1e-4));
      }
      assertThat(Arrays.stream(expected).sum()).isCloseTo(queries.length, within(1e-4));
    }
  }

  /**
   * Windows, a cap, sinks, a latent cache, turned and quantised keys; none sees another's cells.
   */
  @ParameterizedTest
  @CsvSource({
    "llama, F16",
    "qwen3, Q8_0",
    "gemma2, F16",
    "gpt-oss, F16",
    "deepseek2, F16",
    "cohere2, F32"
  })
  void each_measured_token_gives_one_attention_in_all(String architecture, DType type)
      throws Exception {
    List<float[]> seen = new ArrayList<>();
    try (Model model = model(architecture, "m");
        Engine engine = Engine.open(model, SMALL.withKvTypes(KvTypes.of(type)))) {
      Generation other = engine.submit(request(tokens(50), 30, ContextPolicy.stop()));
      Generation generation = engine.submit(request(tokens(30), 100, watching(seen, 50)));
      assertThat(generation.finishReason()).isEqualTo(FinishReason.CONTEXT_FULL);
      other.awaitEnd();
      double sum = 0;
      for (float weight : seen.getFirst()) {
        assertThat(weight).isNotNegative();
        sum += weight;
      }
      if (architecture.equals("gpt-oss")) {
        assertThat(sum).as("sinks take some").isBetween(2.0, 16 + 4.99);
      } else {
        assertThat(sum).isCloseTo(16 + 5, within(0.02)); // places 32 to 48
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"heavy:4,120", "sinks:4,120"})
  void a_token_that_gets_most_attention_stays_where_a_window_would_lose_it(String policy)
      throws Exception {
    int planted = 199;
    int[] prompt = Arrays.stream(tokens(100)).map(t -> t % 190).toArray();
    prompt[30] = planted;
    try (Model model = model("llama", "m");
        Engine engine = Engine.open(model, SMALL);
        KvSequence sequence = engine.newSequence()) {
      sequence.append(prompt);
      var _ =
          engine.onThread(() -> {
            plant(engine, model.hyperparams(), 30); // positions lie in cells of the same number
            return true;
          });
      int[] longer = Arrays.copyOf(prompt, 101);
      Generation generation =
          engine.submit(request(longer, 400, ContextPolicy.named(policy)).withKeep(sequence));
      for (var t = generation.next(); t.isPresent(); t = generation.next()) {
        assertThat(engine.statistics().freeCells()).isGreaterThanOrEqualTo(512 - 124);
      }
      assertThat(generation.usage().forgottenTokens()).isGreaterThan(350);
      int[] left = sequence.tokens();
      assertThat(Arrays.copyOf(left, 4)).isEqualTo(Arrays.copyOf(prompt, 4));
      assertThat(Arrays.stream(Arrays.copyOf(left, 62)).anyMatch(t -> t == planted))
          .isEqualTo(policy.startsWith("heavy"));
    }
  }

  @Test
  void sequences_with_and_without_it_share_steps() throws Exception {
    try (Model model = model("gemma2", "m");
        Engine engine = Engine.open(model, SMALL.withContextTokens(1024))) {
      List<GenerateRequest> requests =
          List.of(
              request(tokens(100), 200, ContextPolicy.heavy(4, 80)),
              request(tokens(20), 200, ContextPolicy.stop()),
              request(tokens(300), 200, ContextPolicy.heavy(0, 60)));
      int free = engine.statistics().freeCells();
      List<Generation> together = engine.submitAll(requests);
      for (Generation g : together) {
        assertThat(g.finishReason()).isEqualTo(FinishReason.LENGTH);
      }
      assertThat(engine.statistics().freeCells()).isEqualTo(free);
    }
  }

  /** A key so large that about half of all heads' queries look at nothing else. */
  private static void plant(Engine engine, Hyperparams h, int cell) {
    SplittableRandom random = new SplittableRandom(3);
    for (int layer = 0; layer < h.layerCount(); layer++) {
      float[] keys = new float[h.kvHeadCount() * h.headDim()];
      float[] values = new float[h.kvHeadCount() * h.valueDim()];
      for (int i = 0; i < keys.length; i++) {
        keys[i] = (float) random.nextGaussian(0, 300);
      }
      engine.memory().store().put(layer, cell, keys, values);
    }
  }

  /** Forgets nothing but notes what it is shown. */
  private static ContextPolicy watching(List<float[]> seen, int most) {
    return new ContextPolicy() {
      @Override
      public BitSet forget(Past past) {
        assertThat(past.tokens()).isEqualTo(most);
        seen.add(past.weights());
        return new BitSet();
      }

      @Override
      public int tokensMax() {
        return most;
      }

      @Override
      public boolean weighs() {
        return true;
      }
    };
  }

  private Model model(String architecture, String name) throws Exception {
    ModelShape tiny = ModelShape.tiny(architecture).withHeads(4, 2, 64);
    ModelShape shape =
        switch (architecture) {
          case "gemma2" -> tiny.withTied().with("attention.sliding_window", 24);
          case "gpt-oss" -> tiny.withExperts(4, 2).with("attention.sliding_window", 24);
          case "cohere2" ->
              tiny.withTied().with("attention.sliding_window", 24).with("logit_scale", 0.25f);
          case "deepseek2" -> ModelShape.latent();
          default -> tiny;
        };
    Path file = MadeModel.write(folder.resolve(name + ".gguf"), shape, DType.F32, 1);
    return Model.load(file, LoadOptions.defaults());
  }

  private static GenerateRequest request(int[] prompt, int maxTokens, ContextPolicy policy) {
    return GenerateRequest.of(prompt)
        .withLimits(new GenerateRequest.Limits(maxTokens, true, Set.of()))
        .withContextPolicy(policy);
  }

  private static int[] tokens(int count) {
    return new SplittableRandom(count).ints(count, 0, 200).toArray();
  }

  /** The attention of a model of one layer, number by number. */
  private static final class PlainAttention {
    private final Hyperparams h;
    private final GgufFile file;
    private final TensorReader reader;
    private final double[][] queries;
    private final double[][] keys;

    PlainAttention(Path path, Hyperparams h, int[] tokens) throws Exception {
      this.h = h;
      this.file = GgufFile.open(path);
      this.reader = TensorReader.open(file);
      float[] embeddings = values("token_embd.weight");
      float[] norm = values("blk.0.attn_norm.weight");
      int width = h.embeddingLength();
      queries = new double[tokens.length][];
      keys = new double[tokens.length][];
      for (int t = 0; t < tokens.length; t++) {
        double[] x = new double[width];
        double squares = 0;
        for (int i = 0; i < width; i++) {
          x[i] = embeddings[tokens[t] * width + i];
          squares += x[i] * x[i];
        }
        double root = Math.sqrt(squares / width + h.rmsEpsilon());
        for (int i = 0; i < width; i++) {
          x[i] *= norm[i] / root;
        }
        queries[t] = turned(times(values("blk.0.attn_q.weight"), x), t);
        keys[t] = turned(times(values("blk.0.attn_k.weight"), x), t);
      }
      reader.close();
    }

    private float[] values(String name) throws Exception {
      return reader.values(file.tensor(name).orElseThrow());
    }

    private static double[] times(float[] matrix, double[] x) {
      double[] y = new double[matrix.length / x.length];
      for (int row = 0; row < y.length; row++) {
        for (int i = 0; i < x.length; i++) {
          y[row] += matrix[row * x.length + i] * x[i];
        }
      }
      return y;
    }

    private double[] turned(double[] heads, int position) {
      int d = h.headDim();
      for (int i = 0; i < heads.length; i += 2) {
        double angle = position * Math.pow(h.rope().base(), -(i % d) / (double) d);
        double a = heads[i];
        double b = heads[i + 1];
        heads[i] = a * Math.cos(angle) - b * Math.sin(angle);
        heads[i + 1] = a * Math.sin(angle) + b * Math.cos(angle);
      }
      return heads;
    }

    /** What each token gets of these queries' attention: the mean over heads. */
    double[] sum(int... places) {
      double[] sum = new double[keys.length];
      for (int place : places) {
        for (int head = 0; head < h.headCount(); head++) {
          add(sum, place, head);
        }
      }
      return sum;
    }

    private void add(double[] sum, int place, int head) {
      int d = h.headDim();
      int kvHead = head / (h.headCount() / h.kvHeadCount());
      double[] weights = new double[place + 1];
      double mass = 0;
      for (int p = 0; p <= place; p++) {
        double score = 0;
        for (int i = 0; i < d; i++) {
          score += queries[place][head * d + i] * keys[p][kvHead * d + i];
        }
        weights[p] = Math.exp(score / Math.sqrt(d));
        mass += weights[p];
      }
      for (int p = 0; p <= place; p++) {
        sum[p] += weights[p] / mass / h.headCount();
      }
    }
  }
}
