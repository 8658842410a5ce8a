package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.adapters.training.PrefixParameters;
import io.gatun.engine.AdapterUse;
import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.GeneratedToken;
import io.gatun.engine.Generation;
import io.gatun.engine.KvSequence;
import io.gatun.engine.PrefixCacheOptions;
import io.gatun.model.KvTypes;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.KeyValuePrefix;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.model.gguf.GgufFile;
import io.gatun.tensor.DType;
import io.gatun.tensor.ShapeException;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A cache whose values are a part of its keys, used as any other. */
@Timeout(120)
class LatentCacheTest {
  private static final EngineOptions SMALL =
      EngineOptions.defaults().withContextTokens(512).withThreads(1).withBatchRows(64);

  @TempDir static Path folder;
  private static Path file;
  private static Model model;

  @BeforeAll
  static void load() throws Exception {
    file = MadeModel.write(folder.resolve("m.gguf"), ModelShape.latent(), DType.F32, 1);
    model = Model.load(file, LoadOptions.defaults());
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void it_has_one_row_of_keys_per_token_and_layer() throws Exception {
    ModelShape shape = ModelShape.latent();
    long perToken = (long) shape.layers() * shape.headDim() * Short.BYTES;
    assertThat(Model.plan(GgufFile.open(file), LoadOptions.defaults()).kvPerToken())
        .isEqualTo(perToken)
        .isEqualTo(768);
    assertThat(
            model
                .memoryPlan()
                .withKvTypes(model.hyperparams(), KvTypes.of(DType.Q8_0))
                .kvPerToken())
        .isEqualTo(perToken * 34 / 64);
  }

  @Test
  void forks_rewinds_and_snapshots_leave_what_computing_anew_would() throws Exception {
    int[] past = tokens(100, 1);
    int[] other = Arrays.copyOf(past, 44);
    System.arraycopy(new int[] {7, 8, 9, 5}, 0, other, 40, 4);
    Path kept = folder.resolve("kept.kv");
    List<GeneratedToken> expected;
    try (Engine engine = Engine.open(model, SMALL);
        KvSequence trunk = engine.newSequence()) {
      trunk.append(Arrays.copyOf(past, 99));
      try (KvSequence branch = trunk.fork()) {
        branch.rewind(40);
        branch.append(7, 8, 9);
        assertThat(ids(engine.submit(request(other).withKeep(branch)))).isEqualTo(fresh(other));
      }
      trunk.save(kept);
      expected = all(engine.submit(request(past).withLogprobs(2).withKeep(trunk)));
    }
    try (Engine engine = Engine.open(model, SMALL);
        KvSequence restored = engine.restore(kept)) {
      assertThat(all(engine.submit(request(past).withLogprobs(2).withKeep(restored))))
          .isEqualTo(expected);
    }
  }

  @Test
  void beginnings_are_found_again() throws Exception {
    int[] prompt = tokens(200, 2);
    try (Engine engine = Engine.open(model, SMALL.withPrefixCache(PrefixCacheOptions.all()))) {
      List<Integer> first = ids(engine.submit(request(prompt)));
      Generation second = engine.submit(request(prompt));
      assertThat(ids(second)).isEqualTo(first).isEqualTo(fresh(prompt));
      assertThat(second.usage().cachedTokens()).isEqualTo(199);
    }
  }

  @Test
  void a_prefix_of_keys_and_values_is_refused() {
    int layers = model.hyperparams().layerCount();
    List<float[]> keys = Collections.nCopies(layers, new float[96]);
    List<float[]> values = Collections.nCopies(layers, new float[64]);
    KeyValuePrefix prefix = new KeyValuePrefix("p", "deepseek2", 1, 96, 64, keys, values);
    refused(prefix, "values are a part of the keys");
    PrefixParameters trained = new PrefixParameters(2);
    assertThatThrownBy(() -> trained.shapes(model))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("soft prompt");
  }

  @Test
  void a_lora_of_matrices_of_heads_is_refused() {
    LowRank delta =
        new LowRank(32, 64, 2, 8, new float[32 * 2 * 8], new float[2 * 64 * 8], 1, new float[0]);
    Map<String, LowRank> deltas = Map.of("blk.0.attn_k_b", delta);
    refused(new LoraAdapter("l", "deepseek2", deltas, Map.of()), "a part for each head");
  }

  private static void refused(Adapter adapter, String why) {
    try (Engine engine = Engine.open(model, SMALL)) {
      GenerateRequest request = request(1, 2, 3).withAdapters(List.of(new AdapterUse(adapter, 1f)));
      assertThatThrownBy(() -> engine.submit(request).finishReason())
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining(why);
    }
  }

  private static GenerateRequest request(int... prompt) {
    return GenerateRequest.of(prompt).withMaxTokens(8);
  }

  private static List<Integer> fresh(int[] prompt) throws Exception {
    try (Engine engine = Engine.open(model, SMALL)) {
      return ids(engine.submit(request(prompt)));
    }
  }

  private static List<Integer> ids(Generation generation) throws InterruptedException {
    return all(generation).stream().map(GeneratedToken::id).toList();
  }

  private static List<GeneratedToken> all(Generation generation) throws InterruptedException {
    List<GeneratedToken> tokens = new ArrayList<>();
    for (var token = generation.next(); token.isPresent(); token = generation.next()) {
      tokens.add(token.get());
    }
    return tokens;
  }

  private static int[] tokens(int count, long seed) {
    return new SplittableRandom(seed).ints(count, 0, 320).toArray();
  }
}
