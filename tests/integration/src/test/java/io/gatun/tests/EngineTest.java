package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.FinishReason;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.GeneratedToken;
import io.gatun.engine.Generation;
import io.gatun.engine.KvSequence;
import io.gatun.engine.sample.SamplerSettings;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.DType;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class EngineTest {
  private static final EngineOptions SMALL =
      EngineOptions.defaults().withContextTokens(512).withThreads(1).withBatchRows(64);

  @TempDir static Path folder;
  private static Model model;

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
  void a_long_prompt_in_chunks_gives_what_it_gives_at_once() throws Exception {
    int[] prompt = tokens(200, 1);
    List<Integer> chunked = run(SMALL, prompt);
    List<Integer> whole = run(SMALL.withBatchRows(256), prompt);
    assertThat(chunked).hasSize(20).isEqualTo(whole);
  }

  @Test
  void many_sequences_give_what_each_gives_alone() throws Exception {
    List<int[]> prompts = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      prompts.add(tokens(5 + 13 * i, i));
    }
    try (Engine engine = Engine.open(model, SMALL)) {
      List<Generation> together =
          engine.submitAll(prompts.stream().map(EngineTest::request).toList());
      for (int i = 0; i < prompts.size(); i++) {
        List<Integer> beside = ids(together.get(i));
        assertThat(beside).as("sequence " + i).isEqualTo(run(SMALL, prompts.get(i)));
      }
      assertThat(engine.statistics().freeCells()).isEqualTo(engine.contextTokens());
    }
  }

  /** Far more tokens than cells: some must wait or be computed twice, and all end well. */
  @Test
  void sequences_that_do_not_fit_together_take_turns() throws Exception {
    EngineOptions options = SMALL.withContextTokens(256);
    try (Engine engine = Engine.open(model, options)) {
      List<GenerateRequest> requests = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        requests.add(request(tokens(60, i)).withLimits(limits(60)));
      }
      List<Generation> all = engine.submitAll(requests);
      for (int i = 0; i < 8; i++) {
        assertThat(ids(all.get(i))).as("sequence " + i).hasSize(60);
        assertThat(all.get(i).finishReason()).isEqualTo(FinishReason.LENGTH);
      }
      assertThat(engine.statistics().freeCells()).isEqualTo(256);
    }
  }

  @Test
  void a_full_context_ends_the_completion() throws Exception {
    try (Engine engine = Engine.open(model, SMALL.withContextTokens(256))) {
      Generation generation =
          engine.submit(request(tokens(200, 1)).withLimits(limits(Integer.MAX_VALUE)));
      assertThat(ids(generation)).hasSize(57); // 256 cells, and one token more that needs none
      assertThat(generation.finishReason()).isEqualTo(FinishReason.CONTEXT_FULL);
      assertThatThrownBy(() -> engine.submit(request(tokens(257, 1))))
          .isInstanceOf(CapacityException.class)
          .hasMessageContaining("257")
          .hasMessageContaining("--context");
    }
  }

  @Test
  void a_prompt_cache_saves_what_is_the_same_and_changes_nothing() throws Exception {
    int[] first = tokens(100, 1);
    int[] second = first.clone();
    second[90] = (second[90] + 1) % 320;
    try (Engine engine = Engine.open(model, SMALL);
        KvSequence cache = engine.newSequence()) {
      Generation cold = engine.submit(request(first).withKeep(cache));
      List<Integer> text = ids(cold);
      assertThat(cold.usage().cachedTokens()).isZero();
      assertThat(cache.size()).isEqualTo(119);

      Generation warm = engine.submit(request(second).withKeep(cache));
      assertThat(ids(warm)).isEqualTo(run(SMALL, second));
      assertThat(warm.usage().cachedTokens()).isEqualTo(90);

      Generation again = engine.submit(request(first).withKeep(cache));
      assertThat(ids(again)).isEqualTo(text);
    }
  }

  @Test
  void a_forked_cache_goes_on_as_the_original_would() throws Exception {
    int[] past = tokens(80, 3);
    int[] left = append(past, 7, 8);
    int[] right = append(past, 9);
    try (Engine engine = Engine.open(model, SMALL);
        KvSequence trunk = engine.newSequence()) {
      var _ = ids(engine.submit(request(past).withMaxTokens(1).withKeep(trunk)));
      int used = engine.contextTokens() - engine.statistics().freeCells();
      try (KvSequence branch = trunk.fork()) {
        assertThat(engine.contextTokens() - engine.statistics().freeCells())
            .as("a fork copies nothing")
            .isEqualTo(used);
        Generation a = engine.submit(request(left).withKeep(trunk));
        Generation b = engine.submit(request(right).withKeep(branch));
        assertThat(ids(a)).isEqualTo(run(SMALL, left));
        assertThat(ids(b)).isEqualTo(run(SMALL, right));
        assertThat(b.usage().cachedTokens()).isEqualTo(80);
      }
    }
  }

  @Test
  void idle_caches_make_room() throws Exception {
    try (Engine engine = Engine.open(model, SMALL.withContextTokens(256));
        KvSequence cache = engine.newSequence()) {
      var _ = ids(engine.submit(request(tokens(200, 1)).withKeep(cache)));
      assertThat(ids(engine.submit(request(tokens(200, 2))))).hasSize(20);
      assertThat(cache.resident()).isZero();
      assertThat(cache.size()).isEqualTo(219);
      assertThat(ids(engine.submit(request(tokens(200, 1)).withKeep(cache)))).hasSize(20);
    }
  }

  @Test
  void a_cancelled_request_ends_within_a_step_and_gives_its_cells_back() throws Exception {
    AtomicInteger seen = new AtomicInteger();
    CountDownLatch running = new CountDownLatch(1);
    try (Engine engine = Engine.open(model, SMALL)) {
      Generation generation =
          engine.submit(
              request(tokens(20, 1))
                  .withLimits(limits(Integer.MAX_VALUE))
                  .withObserver((_, _, _) -> {
                    seen.incrementAndGet();
                    running.countDown();
                  }));
      running.await();
      generation.cancel();
      int before = seen.get();
      assertThat(generation.finishReason()).isEqualTo(FinishReason.CANCELLED);
      assertThat(seen.get() - before).isLessThanOrEqualTo(1);
      assertThat(engine.statistics().freeCells()).isEqualTo(engine.contextTokens());
      generation.cancel();
      assertThat(ids(engine.submit(request(tokens(20, 1))))).hasSize(20);
    }
  }

  @Test
  void cancelling_one_of_two_leaves_the_other_alone() throws Exception {
    try (Engine engine = Engine.open(model, SMALL)) {
      List<Generation> both =
          engine.submitAll(
              List.of(request(tokens(20, 1)).withLimits(limits(400)), request(tokens(9, 2))));
      both.getFirst().cancel();
      assertThat(ids(both.get(1))).isEqualTo(run(SMALL, tokens(9, 2)));
      assertThat(both.getFirst().finishReason()).isEqualTo(FinishReason.CANCELLED);
    }
  }

  @Test
  void an_observer_that_throws_ends_only_its_own_request() throws Exception {
    try (Engine engine = Engine.open(model, SMALL)) {
      Generation broken =
          engine.submit(
              request(tokens(5, 1))
                  .withObserver((_, _, _) -> {
                    throw new IllegalArgumentException("mine");
                  }));
      assertThatThrownBy(broken::finishReason)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("mine");
      assertThatThrownBy(broken::next).isInstanceOf(IllegalArgumentException.class);
      assertThat(ids(engine.submit(request(tokens(5, 1))))).hasSize(20);
    }
  }

  @Test
  void equal_seeds_give_equal_texts_and_others_do_not() throws Exception {
    SamplerSettings hot = SamplerSettings.standard().withTemperature(1.5f);
    List<List<Integer>> texts = new ArrayList<>();
    for (long seed : new long[] {1, 1, 2}) {
      try (Engine engine = Engine.open(model, SMALL)) {
        texts.add(ids(engine.submit(request(tokens(5, 1)).withSampling(hot.withSeed(seed)))));
      }
    }
    assertThat(texts.get(0)).isEqualTo(texts.get(1)).isNotEqualTo(texts.get(2));
  }

  @Test
  void logprobs_are_those_of_the_raw_logits() throws Exception {
    float[][] row = new float[1][];
    try (Engine engine = Engine.open(model, SMALL)) {
      Generation generation =
          engine.submit(
              request(tokens(5, 1))
                  .withMaxTokens(1)
                  .withLogprobs(3)
                  .withSampling(SamplerSettings.standard().withSeed(5))
                  .withObserver(
                      (_, logits, count) -> row[0] = java.util.Arrays.copyOf(logits, count)));
      GeneratedToken token = generation.next().orElseThrow();
      double mass = 0;
      for (float logit : row[0]) {
        mass += Math.exp(logit);
      }
      assertThat(Math.exp(token.logprob()))
          .isCloseTo(
              Math.exp(row[0][token.id()]) / mass, org.assertj.core.data.Offset.offset(1e-5));
      assertThat(token.top()).hasSize(3);
      assertThat(token.top().getFirst().logprob())
          .isGreaterThanOrEqualTo(token.top().get(1).logprob());
    }
  }

  @Test
  void a_stop_token_ends_the_completion_and_does_not_appear() throws Exception {
    List<Integer> text = run(SMALL, tokens(5, 1));
    int stop = text.get(7);
    try (Engine engine = Engine.open(model, SMALL)) {
      Generation generation =
          engine.submit(
              request(tokens(5, 1))
                  .withLimits(new GenerateRequest.Limits(20, false, Set.of(stop))));
      assertThat(ids(generation)).isEqualTo(text.subList(0, text.indexOf(stop)));
      assertThat(generation.finishReason()).isEqualTo(FinishReason.STOP);
    }
  }

  @Test
  void after_close_everything_is_a_java_exception() throws Exception {
    Engine engine = Engine.open(model, SMALL);
    KvSequence cache = engine.newSequence();
    Generation running = engine.submit(request(tokens(5, 1)).withLimits(limits(Integer.MAX_VALUE)));
    engine.close();
    engine.close();
    assertThat(running.finishReason()).isIn(FinishReason.CANCELLED, FinishReason.CONTEXT_FULL);
    assertThatThrownBy(() -> engine.submit(request(tokens(5, 1))))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("already closed");
    assertThatThrownBy(engine::newSequence).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(cache::size).isInstanceOf(IllegalStateException.class);
    cache.close();
  }

  @Test
  void tokens_that_do_not_exist_are_refused() {
    try (Engine engine = Engine.open(model, SMALL)) {
      assertThatThrownBy(() -> engine.submit(GenerateRequest.of(1, 320)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("320");
      assertThatThrownBy(() -> engine.submit(GenerateRequest.of(-1)))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(GenerateRequest::of).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void requests_from_many_threads_all_end() throws Exception {
    try (Engine engine = Engine.open(model, SMALL)) {
      List<Integer> expected = run(SMALL, tokens(12, 4));
      List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<>());
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        boolean cancels = i % 4 == 3;
        threads.add(
            Thread.ofVirtual()
                .start(() -> {
                  try {
                    Generation generation = engine.submit(request(tokens(12, 4)));
                    if (cancels) {
                      generation.cancel();
                      var _ = generation.finishReason();
                    } else {
                      assertThat(ids(generation)).isEqualTo(expected);
                    }
                  } catch (Exception | AssertionError e) {
                    failures.add(e);
                  }
                }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(failures).isEmpty();
      assertThat(engine.statistics().freeCells()).isEqualTo(engine.contextTokens());
    }
  }

  private static List<Integer> run(EngineOptions options, int[] prompt) throws Exception {
    try (Engine engine = Engine.open(model, options)) {
      return ids(engine.submit(request(prompt)));
    }
  }

  private static GenerateRequest request(int[] prompt) {
    return GenerateRequest.of(prompt).withLimits(limits(20));
  }

  private static GenerateRequest.Limits limits(int tokens) {
    return new GenerateRequest.Limits(tokens, true, Set.of());
  }

  private static List<Integer> ids(Generation generation) throws InterruptedException {
    List<Integer> ids = new ArrayList<>();
    for (var token = generation.next(); token.isPresent(); token = generation.next()) {
      ids.add(token.get().id());
    }
    return ids;
  }

  private static int[] tokens(int count, long seed) {
    return new SplittableRandom(seed).ints(count, 0, 320).toArray();
  }

  private static int[] append(int[] tokens, int... more) {
    int[] all = java.util.Arrays.copyOf(tokens, tokens.length + more.length);
    System.arraycopy(more, 0, all, tokens.length, more.length);
    return all;
  }
}
