package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.engine.sample.Breakers;
import io.gatun.engine.sample.Choice;
import io.gatun.engine.sample.Dry;
import io.gatun.engine.sample.LogitBias;
import io.gatun.engine.sample.Logits;
import io.gatun.engine.sample.LogitsProcessor;
import io.gatun.engine.sample.MinP;
import io.gatun.engine.sample.Penalties;
import io.gatun.engine.sample.Sampler;
import io.gatun.engine.sample.SamplerSettings;
import io.gatun.engine.sample.Temperature;
import io.gatun.engine.sample.TokenHistory;
import io.gatun.engine.sample.TopK;
import io.gatun.engine.sample.TopNSigma;
import io.gatun.engine.sample.TopP;
import io.gatun.engine.sample.Typical;
import io.gatun.engine.sample.Xtc;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SamplerTest {
  private final Logits row = new Logits();

  @AfterEach
  void close() {
    row.close();
  }

  static Stream<LogitsProcessor> processors() {
    return Stream.of(
        new LogitBias(Map.of(3, 2f, 7, Float.NEGATIVE_INFINITY)),
        new Penalties(-1, 1.3f, 0.2f, 0.1f),
        new Dry(0.8f, 1.75f, 1, -1, Breakers.of(List.of(List.of(4)))),
        new TopNSigma(1f),
        new TopK(5),
        new Typical(0.7f),
        new TopP(0.8f),
        new MinP(0.1f),
        new Xtc(0.5f, 0.05f),
        new Temperature(0.7f),
        new Temperature(0.7f, 0.3f, 1f));
  }

  static Stream<LogitsProcessor> neutral() {
    return Stream.of(
        new LogitBias(Map.of()),
        new Penalties(64, 1f, 0f, 0f),
        new Dry(0f, 1.75f, 2, -1, Breakers.none()),
        new TopNSigma(0f),
        new TopK(0),
        new Typical(1f),
        new TopP(1f),
        new MinP(0f),
        new Xtc(0f, 0.1f),
        new Temperature(1f));
  }

  @ParameterizedTest
  @MethodSource("processors")
  void a_processor_leaves_something_and_no_nan_and_repeats_itself(LogitsProcessor processor) {
    for (int width : new int[] {1, 2, 17, 3000}) {
      List<String> first = applied(processor, width);
      assertThat(first).isNotEmpty().doesNotContain("NaN");
      assertThat(applied(processor, width)).isEqualTo(first);
    }
  }

  @ParameterizedTest
  @MethodSource("neutral")
  void a_neutral_processor_changes_nothing(LogitsProcessor processor) {
    float[] logits = random(100, 5);
    var _ = row.reset(logits, logits.length);
    processor.apply(row, new TokenHistory(1, 2, 1, 2), new SplittableRandom(1));
    assertThat(row.size()).isEqualTo(100);
    for (int i = 0; i < 100; i++) {
      assertThat(row.value(i)).isEqualTo(logits[row.id(i)]);
    }
  }

  @Test
  void the_partial_sort_agrees_with_a_full_one() {
    float[] logits = random(151_936, 3);
    logits[5] = logits[6];
    Integer[] order = new Integer[logits.length];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (a, b) -> Float.compare(logits[b], logits[a]));
    for (int n : new int[] {1, 40, 1000, 2000, logits.length}) {
      var _ = row.reset(logits, logits.length);
      row.sort(n);
      for (int i = 0; i < n; i++) {
        assertThat(row.id(i)).as("place %d of %d", i, n).isEqualTo(order[i]);
      }
    }
  }

  @Test
  void draws_follow_the_probabilities() {
    float[] logits = {(float) Math.log(0.1), (float) Math.log(0.2), (float) Math.log(0.7)};
    SamplerSettings settings = new SamplerSettings(List.of(), new Choice.Draw(), 11);
    Sampler sampler = new Sampler(settings, row);
    int[] counts = new int[3];
    for (int i = 0; i < 20_000; i++) {
      counts[sampler.sample(logits, 3, new TokenHistory())]++;
    }
    assertThat(counts[0]).isBetween(1800, 2200);
    assertThat(counts[1]).isBetween(3750, 4250);
    assertThat(counts[2]).isBetween(13_700, 14_300);
  }

  @Test
  void mirostat_holds_the_average_surprise() {
    float[] logits = random(2000, 9);
    for (float tau : new float[] {2f, 4f, 6f}) {
      Sampler sampler =
          new Sampler(new SamplerSettings(List.of(), new Choice.Mirostat(tau, 0.05f), 4), row);
      int[] counts = new int[logits.length];
      int rounds = 20_000;
      for (int i = 0; i < rounds + 500; i++) {
        int token = sampler.sample(logits, logits.length, new TokenHistory());
        counts[token] += i < 500 ? 0 : 1;
      }
      double entropyBits = 0;
      for (int count : counts) {
        double p = (double) count / rounds;
        entropyBits -= p > 0 ? p * Math.log(p) / Math.log(2) : 0;
      }
      assertThat(entropyBits).isBetween(tau - 0.8, tau + 0.8);
    }
  }

  @Test
  void the_order_of_processors_is_the_callers() {
    SamplerSettings settings =
        SamplerSettings.standard().with(new Penalties(64, 1.1f, 0, 0)).with(new Xtc(0.1f, 0.1f));
    assertThat(settings.processors())
        .extracting(p -> p.getClass().getSimpleName())
        .containsExactly("Penalties", "TopK", "TopP", "MinP", "Xtc", "Temperature");
    assertThat(settings.withOrder(List.of(Temperature.class, TopP.class)).processors())
        .extracting(p -> p.getClass().getSimpleName())
        .containsExactly("Penalties", "TopK", "MinP", "Xtc", "Temperature", "TopP");
    assertThat(settings.with(new TopK(3)).processors()).contains(new TopK(3)).hasSize(6);
    assertThat(SamplerSettings.kind("top-n-sigma")).contains(TopNSigma.class);
    assertThat(SamplerSettings.kind("nonsense")).isEmpty();
  }

  @Test
  void greedy_takes_the_first_of_equals_and_refuses_nothing_but_nan() {
    Sampler greedy = new Sampler(SamplerSettings.greedy(), row);
    assertThat(greedy.sample(new float[] {1, 5, 5, 2}, 4, new TokenHistory())).isEqualTo(1);
    float[] nan = {Float.NaN, Float.NaN};
    assertThatThrownBy(() -> greedy.sample(nan, 2, new TokenHistory()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("NaN");
  }

  @Test
  void nonsense_is_refused() {
    assertThatThrownBy(() -> new TopP(1.1f)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new MinP(-0.1f)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new MinP(Float.NaN)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new TopK(-1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Temperature(-0.1f)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Penalties(64, 0, 0, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new LogitBias(Map.of(1, Float.NaN)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private List<String> applied(LogitsProcessor processor, int width) {
    var _ = row.reset(random(width, 8), width);
    processor.apply(row, new TokenHistory(1, 2, 4, 1, 2, 1), new SplittableRandom(3));
    List<String> all = new ArrayList<>();
    for (int i = 0; i < row.size(); i++) {
      all.add(row.id(i) + "=" + row.value(i));
    }
    assertThat(all).noneMatch(s -> s.endsWith("NaN"));
    return all;
  }

  private static float[] random(int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (random.nextDouble() * 10 - 5);
    }
    return values;
  }
}
