package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.engine.sample.Breakers;
import io.gatun.engine.sample.Dry;
import io.gatun.engine.sample.Logits;
import io.gatun.engine.sample.LogitsProcessor;
import io.gatun.engine.sample.MinP;
import io.gatun.engine.sample.Penalties;
import io.gatun.engine.sample.Temperature;
import io.gatun.engine.sample.TokenHistory;
import io.gatun.engine.sample.TopK;
import io.gatun.engine.sample.TopNSigma;
import io.gatun.engine.sample.TopP;
import io.gatun.engine.sample.Typical;
import io.gatun.engine.sample.Xtc;
import io.gatun.tests.kit.SharedFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Every processor against the inputs and outputs that llama.cpp's own tests use. */
class SamplingCasesTest {
  @TestFactory
  Stream<DynamicTest> cases() {
    Path file = SharedFiles.require("data/reference/sampling-cases.json");
    JsonNode cases = JsonMapper.shared().readTree(file.toFile()).get("cases");
    return IntStream.range(0, cases.size())
        .mapToObj(cases::get)
        .map(c -> DynamicTest.dynamicTest(c.toString(), () -> check(c)));
  }

  private static void check(JsonNode c) {
    if (c.get("sampler").asString().equals("queue")) {
      checkQueue(c);
    } else {
      checkProbabilities(c);
    }
  }

  private static void checkProbabilities(JsonNode c) {
    JsonNode probs = c.get("probs");
    float[] logits = new float[probs.size()];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) Math.log(probs.get(i).asDouble());
    }
    TokenHistory history = new TokenHistory();
    if (c.has("last_tokens")) {
      c.get("last_tokens").forEach(t -> history.append(t.asInt()));
    }
    try (Logits row = new Logits()) {
      var _ = row.reset(logits, logits.length);
      processor(c).apply(row, history, new SplittableRandom(0));
      List<Double> found = probabilities(row, logits, c);
      JsonNode expected = c.get("expected_probs");
      assertThat(found).hasSize(expected.size());
      for (int i = 0; i < found.size(); i++) {
        assertThat(found.get(i)).isEqualTo(expected.get(i).asDouble(), Offset.offset(1e-5));
      }
    }
  }

  /** Typical and XTC are compared by the probabilities from before, as llama.cpp does. */
  private static List<Double> probabilities(Logits row, float[] before, JsonNode c) {
    boolean raw = List.of("typical", "xtc").contains(c.get("sampler").asString());
    List<Double> found = new ArrayList<>();
    for (int i = 0; i < row.size(); i++) {
      found.add(
          raw ? Math.exp(before[row.id(i)]) : Math.exp(row.value(i) - row.max()) / row.mass());
    }
    return found;
  }

  private static LogitsProcessor processor(JsonNode c) {
    return switch (c.get("sampler").asString()) {
      case "temp" -> new Temperature(number(c, "temp"));
      case "temp_ext" ->
          new Temperature(number(c, "temp"), number(c, "delta"), number(c, "exponent"));
      case "top_k" -> new TopK(c.get("k").asInt());
      case "top_p" -> new TopP(number(c, "p"));
      case "min_p" -> new MinP(number(c, "p"));
      case "xtc" -> new Xtc(number(c, "probability"), number(c, "threshold"));
      case "typical" -> new Typical(number(c, "p"));
      case "top_n_sigma" -> new TopNSigma(number(c, "n"));
      case "penalties" ->
          new Penalties(
              c.get("last_tokens").size(),
              number(c, "repeat_penalty"),
              number(c, "alpha_frequency"),
              number(c, "alpha_presence"));
      case "dry" -> {
        List<List<Integer>> breakers = new ArrayList<>();
        for (JsonNode breaker : c.get("seq_breakers")) {
          List<Integer> run = new ArrayList<>();
          breaker.forEach(t -> run.add(t.asInt()));
          breakers.add(run);
        }
        yield new Dry(
            number(c, "multiplier"),
            number(c, "base"),
            c.get("allowed_length").asInt(),
            c.get("penalty_last_n").asInt(),
            Breakers.of(breakers));
      }
      default -> throw new AssertionError("a new sampler in the cases: " + c);
    };
  }

  /** Tokens 0 to n − 1 have the logit ln(id); each processor leaves a known number of the best. */
  private static void checkQueue(JsonNode c) {
    int n = c.get("n_vocab").asInt();
    float topP = number(c, "top_p");
    float minP = number(c, "min_p");
    int topK = c.get("top_k").asInt();
    float[] logits = new float[n];
    for (int i = 0; i < n; i++) {
      logits[i] = (float) Math.log(i);
    }
    int low = 0; // the smallest id that is left
    try (Logits row = new Logits()) {
      var _ = row.reset(logits, n);
      for (char letter : c.get("sequence").asString().toCharArray()) {
        TokenHistory none = new TokenHistory();
        switch (letter) {
          case 'k' -> {
            new TopK(topK).apply(row, none, new SplittableRandom(0));
            low = Math.max(low, n - topK);
          }
          case 'p' -> {
            new TopP(topP).apply(row, none, new SplittableRandom(0));
            low = topP >= 1 ? low : nucleus(n, low, topP);
          }
          default -> {
            new MinP(minP).apply(row, none, new SplittableRandom(0));
            low = Math.max(low, Math.min(n - 1, (int) Math.ceil(minP * (n - 1.0) - 1e-3)));
          }
        }
        int smallest = n;
        int largest = 0;
        for (int i = 0; i < row.size(); i++) {
          smallest = Math.min(smallest, row.id(i));
          largest = Math.max(largest, row.id(i));
        }
        assertThat(largest).isEqualTo(n - 1);
        assertThat(row.size()).isEqualTo(n - smallest);
        assertThat(smallest).as("after %s", letter).isBetween(low - 1, low + 1);
        low = smallest;
      }
    }
  }

  /** Probabilities are in proportion to ids. */
  private static int nucleus(int n, int low, float p) {
    double total = (n - 1.0) * n / 2 - (low - 1.0) * low / 2;
    double sum = 0;
    int id = n;
    do {
      id--;
      sum += id;
    } while (sum < p * total);
    return id;
  }

  private static float number(JsonNode c, String name) {
    return (float) c.get(name).asDouble();
  }
}
