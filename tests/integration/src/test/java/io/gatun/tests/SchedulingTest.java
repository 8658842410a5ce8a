package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.FinishReason;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.GeneratedToken;
import io.gatun.engine.Generation;
import io.gatun.engine.LogitsObserver;
import io.gatun.engine.PrefixCacheOptions;
import io.gatun.engine.QueueFullException;
import io.gatun.engine.SchedulingOptions;
import io.gatun.engine.Service;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.tensor.DType;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who is served when not all can be at once. */
@Timeout(120)
class SchedulingTest {
  private static final EngineOptions SMALL =
      EngineOptions.defaults()
          .withContextTokens(2048)
          .withThreads(1)
          .withBatchRows(64)
          .withSequencesMax(1);

  @TempDir static Path folder;
  private static Model model;

  /** Names of requests, in the order in which they got tokens; one entry for each turn. */
  private final List<String> served = Collections.synchronizedList(new ArrayList<>());

  @BeforeAll
  static void load() throws Exception {
    Path file = MadeModel.write(folder.resolve("m.gguf"), ModelShape.tiny("llama"), DType.F32, 1);
    model = Model.load(file, LoadOptions.defaults());
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void higher_priorities_take_the_place_of_running_ones_which_go_on_unharmed() throws Exception {
    try (Engine engine = Engine.open(model, SMALL)) {
      List<Integer> alone = ids(engine.submit(request("first", 3, Service.ordinary())));
      served.clear();
      List<Generation> all =
          engine.submitAll(
              List.of(
                  request("first", 3, Service.ordinary()),
                  request("low", 4, Service.ordinary().withPriority(-1)),
                  request("high", 5, Service.ordinary().withPriority(1))));
      assertThat(ids(all.getFirst())).isEqualTo(alone);
      all.forEach(Generation::finishReason);
      assertThat(turns()).containsExactly("high", "first", "low");
      Generation running = engine.submit(request("running", 3, Service.ordinary()));
      var _ = running.next();
      Generation urgent = engine.submit(request("urgent", 5, Service.ordinary().withPriority(9)));
      assertThat(urgent.finishReason()).isEqualTo(FinishReason.LENGTH);
      assertThat(ids(running)).isEqualTo(alone.subList(1, alone.size()));
      assertThat(served.lastIndexOf("urgent")).isLessThan(served.lastIndexOf("running"));
    }
  }

  @Test
  void a_tenant_with_many_requests_does_not_keep_others_out() throws Exception {
    SchedulingOptions weighted = SchedulingOptions.defaults().withWeights(Map.of("big", 2.0));
    try (Engine engine = Engine.open(model, SMALL.withScheduling(weighted))) {
      List<GenerateRequest> requests = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        requests.add(request("big", i, Service.ordinary().withTenant("big")));
      }
      for (int i = 0; i < 3; i++) {
        requests.add(request("small", i, Service.ordinary().withTenant("small")));
      }
      engine.submitAll(requests).forEach(Generation::finishReason);
      // Twice the weight: two requests of one for each of the other.
      assertThat(turns(40))
          .containsExactly("big", "small", "big", "big", "small", "big", "big", "small", "big");
    }
  }

  @Test
  void what_misses_its_deadline_ends_with_what_it_has() throws Exception {
    try (Engine engine = Engine.open(model, SMALL)) {
      Service hurried = Service.ordinary().withDeadline(Duration.ofMillis(60));
      Generation running = engine.submit(endless(hurried));
      Generation waiting = engine.submit(endless(hurried));
      assertThat(running.finishReason()).isEqualTo(FinishReason.DEADLINE);
      assertThat(waiting.finishReason()).isEqualTo(FinishReason.DEADLINE);
      assertThat(ids(running)).hasSizeLessThan(2000);
      assertThat(engine.statistics().freeCells()).isEqualTo(engine.contextTokens());
    }
    assertThatThrownBy(() -> Service.ordinary().withDeadline(Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void a_full_queue_refuses_and_takes_requests_again_when_some_have_ended() throws Exception {
    SchedulingOptions short1 = SchedulingOptions.defaults().withQueueMax(1);
    try (Engine engine = Engine.open(model, SMALL.withScheduling(short1))) {
      Generation running = engine.submit(endless(Service.ordinary()));
      Generation waiting = engine.submit(endless(Service.ordinary()));
      assertThatThrownBy(() -> engine.submit(endless(Service.ordinary())))
          .isInstanceOf(QueueFullException.class)
          .hasMessageContaining("2 requests run or wait, and no more than 2 may");
      waiting.cancel();
      waiting.awaitEnd();
      assertThat(ids(engine.submit(request("late", 1, Service.ordinary().withPriority(1)))))
          .hasSize(40);
      running.cancel();
    }
  }

  /** A prompt of 1000 tokens comes while a stream is read: chunks are small from the first on. */
  @Test
  void a_long_prompt_comes_in_small_chunks_beside_a_stream() throws Exception {
    SchedulingOptions bounded = SchedulingOptions.defaults().withStallMax(Duration.ofNanos(1));
    EngineOptions two = SMALL.withSequencesMax(2);
    int[] longPrompt = new SplittableRandom(5).ints(1000, 0, 290).toArray();
    List<Integer> alone;
    try (Engine engine = Engine.open(model, two)) {
      long before = engine.statistics().steps();
      alone = ids(engine.submit(GenerateRequest.of(longPrompt).withMaxTokens(5)));
      assertThat(engine.statistics().steps() - before).isLessThan(25);
    }
    try (Engine engine = Engine.open(model, two.withScheduling(bounded))) {
      Generation stream = engine.submit(endless(Service.ordinary()));
      var _ = stream.next();
      long before = engine.statistics().steps();
      assertThat(ids(engine.submit(GenerateRequest.of(longPrompt).withMaxTokens(5))))
          .isEqualTo(alone);
      // The first chunk has 64 rows, later ones 8, as nothing is as fast as a nanosecond.
      assertThat(engine.statistics().steps() - before).isGreaterThan(936 / 8);
      stream.cancel();
    }
  }

  @Test
  void who_had_to_make_room_finds_its_past_among_the_cached_prefixes() throws Exception {
    EngineOptions caching = SMALL.withPrefixCache(PrefixCacheOptions.all()).withContextTokens(1024);
    try (Engine engine = Engine.open(model, caching)) {
      Generation low = engine.submit(request("low", 3, Service.ordinary()));
      var _ = low.next();
      Generation high = engine.submit(request("high", 5, Service.ordinary().withPriority(1)));
      high.awaitEnd();
      List<Integer> rest = ids(low);
      List<Integer> alone = ids(engine.submit(request("low", 3, Service.ordinary())));
      assertThat(rest).isEqualTo(alone.subList(1, alone.size()));
      assertThat(engine.statistics().prefixTokensFound()).isPositive();
    }
  }

  private GenerateRequest request(String name, int seed, Service service) {
    LogitsObserver noting = (_, _, _) -> served.add(name);
    return GenerateRequest.of(new SplittableRandom(seed).ints(20, 0, 290).toArray())
        .withLimits(new GenerateRequest.Limits(40, true, java.util.Set.of()))
        .withObserver(noting)
        .withService(service);
  }

  private static GenerateRequest endless(Service service) {
    return GenerateRequest.of(1, 2, 3)
        .withLimits(new GenerateRequest.Limits(2000, true, java.util.Set.of()))
        .withService(service);
  }

  /** Names without repetitions of neighbours. */
  private List<String> turns() {
    List<String> turns = new ArrayList<>();
    for (String name : served) {
      if (turns.isEmpty() || !turns.getLast().equals(name)) {
        turns.add(name);
      }
    }
    return turns;
  }

  /** Every so manieth name: one for each request of so many tokens. */
  private List<String> turns(int tokens) {
    List<String> turns = new ArrayList<>();
    for (int i = 0; i < served.size(); i += tokens) {
      turns.add(served.get(i));
    }
    return turns;
  }

  private static List<Integer> ids(Generation generation) throws Exception {
    List<Integer> ids = new ArrayList<>();
    for (var next = generation.next(); next.isPresent(); next = generation.next()) {
      ids.add(next.map(GeneratedToken::id).get());
    }
    return ids;
  }
}
