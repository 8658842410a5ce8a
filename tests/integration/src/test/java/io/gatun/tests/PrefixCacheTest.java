package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.engine.AdapterUse;
import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.EvictionPolicy;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.GeneratedToken;
import io.gatun.engine.Generation;
import io.gatun.engine.PrefixCacheOptions;
import io.gatun.engine.PrefixMatch;
import io.gatun.engine.PrefixMatch.Reason;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.model.adapter.SoftPrompt;
import io.gatun.tensor.DType;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that begin alike compute their beginning once. */
@Timeout(120)
class PrefixCacheTest {
  private static final EngineOptions KEEPING =
      EngineOptions.defaults()
          .withContextTokens(512)
          .withThreads(1)
          .withBatchRows(64)
          .withSequencesMax(1)
          .withPrefixCache(PrefixCacheOptions.all());

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"llama", "gemma2"})
  void tokens_are_those_of_an_engine_that_keeps_nothing(String architecture) throws Exception {
    SplittableRandom random = new SplittableRandom(7);
    int[] system = tokens(120, 1);
    try (Model model = model(architecture);
        Engine keeping = Engine.open(model, KEEPING);
        Engine fresh = Engine.open(model, KEEPING.withPrefixCache(PrefixCacheOptions.none()))) {
      int cached = 0;
      int room = keeping.statistics().freeCells();
      for (int i = 0; i < 12; i++) {
        int[] own = tokens(5 + random.nextInt(60), 100 + i % 4);
        int[] prompt = Arrays.copyOf(system, system.length + own.length);
        System.arraycopy(own, 0, prompt, system.length, own.length);
        Generation generation = keeping.submit(request(prompt));
        assertThat(ids(generation))
            .as("request " + i)
            .isEqualTo(ids(fresh.submit(request(prompt))));
        cached += generation.usage().cachedTokens();
      }
      assertThat(cached).isGreaterThan(9 * 120);
      Engine.Statistics statistics = keeping.statistics();
      assertThat(statistics.prefixTokensFound()).isEqualTo(cached);
      assertThat(statistics.prefixTokens()).isBetween(120, 512);
      keeping.forgetPrefixes();
      assertThat(keeping.statistics().freeCells()).isEqualTo(room);
    }
  }

  /** Longer than all cells of layers with a window: their beginnings stay nevertheless. */
  @Test
  void long_prompts_of_a_model_with_windows_do_not_push_each_other_out() throws Exception {
    try (Model model = model("gemma2");
        Engine engine = Engine.open(model, KEEPING.withContextTokens(1024))) {
      var _ = ids(engine.submit(request(tokens(300, 1))));
      var _ = ids(engine.submit(request(tokens(300, 2))));
      assertThat(engine.explain(request(tokens(300, 1))).reason()).isEqualTo(Reason.COMPLETE);
      assertThat(engine.explain(request(tokens(300, 2))).reason()).isEqualTo(Reason.COMPLETE);
    }
  }

  @Test
  void it_says_why_a_prompt_is_not_cached() throws Exception {
    int[] prompt = tokens(100, 1);
    int[] other = prompt.clone();
    other[40] = (other[40] + 1) % 320;
    SoftPrompt soft = new SoftPrompt("soft", "llama", 2, 256, new float[512]);
    try (Model model = model("llama");
        Engine engine = Engine.open(model, KEEPING)) {
      assertThat(explain(engine, prompt)).isEqualTo(Reason.NEW);
      var _ = ids(engine.submit(request(prompt)));
      assertThat(explain(engine, prompt)).isEqualTo(Reason.COMPLETE);
      PrefixMatch match = engine.explain(request(other));
      assertThat(match.reason()).isEqualTo(Reason.DIVERGES);
      assertThat(match.cachedTokens()).isEqualTo(40);
      assertThat(match.detail())
          .isEqualTo("token 40 is %d here and %d in what is cached", other[40], prompt[40]);
      GenerateRequest adapted = request(prompt).withAdapters(List.of(new AdapterUse(soft, 1)));
      assertThat(engine.explain(adapted).cachedTokens()).isZero();
      for (int i = 0; i < 6; i++) {
        var _ = ids(engine.submit(request(tokens(300, 50 + i))));
      }
      match = engine.explain(request(prompt));
      assertThat(match.reason()).isEqualTo(Reason.EVICTED);
      assertThat(match.cachedTokens()).isZero();
    }
    try (Model model = model("llama");
        Engine off = Engine.open(model, KEEPING.withPrefixCache(PrefixCacheOptions.none()))) {
      assertThat(explain(off, prompt)).isEqualTo(Reason.OFF);
    }
  }

  @Test
  void a_budget_and_a_policy_choose_what_stays() throws Exception {
    int[] often = tokens(100, 1);
    PrefixCacheOptions all = PrefixCacheOptions.all();
    try (Model model = model("llama")) {
      EngineOptions costAware =
          KEEPING.withPrefixCache(all.withPolicy(EvictionPolicy.costAware(2000)));
      assertThat(survives(model, KEEPING, often)).as("least recently used").isFalse();
      assertThat(survives(model, costAware, often)).as("used often").isTrue();
      long tokenBytes =
          2L * 2 * 4 * model.hyperparams().kvHeadCount() * model.hyperparams().headDim();
      try (Engine engine =
          Engine.open(model, KEEPING.withPrefixCache(all.withBytesMax(100 * tokenBytes)))) {
        for (int i = 0; i < 4; i++) {
          var _ = ids(engine.submit(request(tokens(70, i))));
          assertThat(engine.statistics().prefixTokens()).isLessThanOrEqualTo(100);
        }
      }
    }
  }

  /** Whether a prefix that was used five times is there after two long ones used once. */
  private static boolean survives(Model model, EngineOptions options, int[] often)
      throws Exception {
    try (Engine engine = Engine.open(model, options)) {
      for (int i = 0; i < 8; i++) {
        var _ = ids(engine.submit(request(often)));
      }
      var _ = ids(engine.submit(request(tokens(220, 8))));
      var _ = ids(engine.submit(request(tokens(220, 9))));
      return engine.explain(request(often)).cachedTokens() > 90;
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "gemma2"})
  void what_made_room_comes_back_from_the_disk(String architecture) throws Exception {
    int[] prompt = tokens(200, 1);
    Path kept = folder.resolve("prefixes");
    EngineOptions options =
        KEEPING.withPrefixCache(PrefixCacheOptions.all().withDisk(kept, 1 << 24));
    List<Integer> expected;
    try (Model model = model(architecture)) {
      try (Engine engine = Engine.open(model, options)) {
        expected = ids(engine.submit(request(prompt)));
        for (int i = 0; i < 3; i++) {
          var _ = ids(engine.submit(request(tokens(300, 50 + i))));
        }
        assertThat(engine.explain(request(prompt)).cachedTokens()).isZero();
        Generation again = engine.submit(request(prompt));
        assertThat(ids(again)).isEqualTo(expected);
        assertThat(again.usage().cachedTokens()).isEqualTo(199);
      }
      Files.writeString(kept.resolve("broken.kv"), "no saved sequence");
      try (Engine later = Engine.open(model, options)) {
        Generation again = later.submit(request(prompt));
        assertThat(ids(again)).isEqualTo(expected);
        assertThat(again.usage().cachedTokens()).isEqualTo(199);
      }
    }
  }

  private Model model(String architecture) throws Exception {
    ModelShape tiny = ModelShape.tiny(architecture);
    ModelShape shape =
        architecture.equals("gemma2") ? tiny.withTied().with("attention.sliding_window", 48) : tiny;
    Path file = folder.resolve(architecture + ".gguf");
    if (!Files.exists(file)) {
      var _ = MadeModel.write(file, shape, DType.F32, 1);
    }
    return Model.load(file, LoadOptions.defaults());
  }

  private static Reason explain(Engine engine, int[] prompt) {
    return engine.explain(request(prompt)).reason();
  }

  private static GenerateRequest request(int[] prompt) {
    return GenerateRequest.of(prompt).withLimits(new GenerateRequest.Limits(20, true, Set.of()));
  }

  private static List<Integer> ids(Generation generation) throws Exception {
    List<Integer> ids = new ArrayList<>();
    for (Optional<GeneratedToken> t = generation.next(); t.isPresent(); t = generation.next()) {
      ids.add(t.get().id());
    }
    return ids;
  }

  private static int[] tokens(int count, long seed) {
    return new SplittableRandom(seed).ints(count, 0, 320).toArray();
  }
}
