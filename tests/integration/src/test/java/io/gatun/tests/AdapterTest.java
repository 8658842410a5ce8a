package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.adapters.peft.AdapterMath;
import io.gatun.adapters.peft.AdapterMerge;
import io.gatun.adapters.peft.Weighted;
import io.gatun.engine.AdapterUse;
import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.Generation;
import io.gatun.engine.KvSequence;
import io.gatun.engine.LogitsObserver;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.ControlVector;
import io.gatun.model.adapter.KeyValuePrefix;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.model.adapter.SoftPrompt;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.model.gguf.TensorInfo;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.DType;
import io.gatun.tensor.Quantization;
import io.gatun.tensor.Shape;
import io.gatun.tensor.ShapeException;
import io.gatun.tensor.StoredTensor;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Adapters of requests in a running engine. */
@Timeout(120)
class AdapterTest {
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

  /** Different LoRAs, two at once, a soft prompt, a control vector, and nothing, in one batch. */
  @Test
  void each_request_of_a_mixed_batch_gets_what_it_gets_alone() throws Exception {
    List<List<AdapterUse>> mixed =
        List.of(
            List.of(),
            uses(lora("a", model, 4, 1, _ -> true)),
            uses(lora("b", model, 9, 2, name -> name.contains("attn_q"))),
            uses(dora(lora("e", model, 4, 11, _ -> true), 12)),
            uses(soft(3)),
            uses(prefix(14)),
            uses(prefix(15), soft(3), lora("f", model, 2, 16, _ -> true)),
            uses(vector(4)),
            uses(
                lora("c", model, 2, 5, _ -> true),
                soft(6),
                vector(7),
                dora(lora("d", model, 3, 8, name -> name.contains("ffn")), 13)));
    try (Engine engine = Engine.open(model, SMALL)) {
      List<GenerateRequest> requests = new ArrayList<>();
      for (int i = 0; i < mixed.size(); i++) {
        requests.add(request(tokens(3 + 5 * i, i)).withAdapters(mixed.get(i)));
      }
      List<List<Integer>> together = new ArrayList<>();
      for (Generation generation : engine.submitAll(requests)) {
        together.add(ids(generation));
      }
      List<List<Integer>> alone = new ArrayList<>();
      for (GenerateRequest request : requests) {
        try (Engine own = Engine.open(model, SMALL)) {
          alone.add(ids(own.submit(request)));
        }
      }
      assertThat(together).isEqualTo(alone).doesNotHaveDuplicates();
      assertThat(engine.statistics().freeCells()).isEqualTo(engine.contextTokens());
    }
  }

  @Test
  void a_lora_gives_the_logits_of_merged_weights() throws Exception {
    LoraAdapter lora = lora("l", model, 5, 3, _ -> true);
    Path merged = merged(folder.resolve("m.gguf"), folder.resolve("merged.gguf"), lora, 0.7f);
    int[] prompt = tokens(17, 4);
    float[] adapted = logits(model, prompt, List.of(new AdapterUse(lora, 0.7f)));
    try (Model whole = Model.load(merged, LoadOptions.defaults())) {
      assertThat(adapted).containsExactly(logits(whole, prompt, List.of()), within(3e-3));
    }
    assertThat(distance(adapted, logits(model, prompt, List.of()))).isGreaterThan(0.05);
  }

  @Test
  void a_dora_gives_the_logits_of_merged_weights() throws Exception {
    LoraAdapter dora = dora(lora("l", model, 5, 3, _ -> true), 4);
    Path merged = folder.resolve("merged-dora.gguf");
    AdapterMerge.of(GgufFile.open(folder.resolve("m.gguf")), List.of(new Weighted(dora, 0.7f)))
        .write(merged);
    int[] prompt = tokens(17, 4);
    float[] adapted = logits(model, prompt, List.of(new AdapterUse(dora, 0.7f)));
    try (Model whole = Model.load(merged, LoadOptions.defaults())) {
      assertThat(adapted).containsExactly(logits(whole, prompt, List.of()), within(3e-3));
    }
    LoraAdapter plain = lora("l", model, 5, 3, _ -> true);
    assertThat(distance(adapted, logits(model, prompt, List.of(new AdapterUse(plain, 0.7f)))))
        .isGreaterThan(0.05);
    Adapter half =
        AdapterMath.linear("h", List.of(new Weighted(dora, 0.3f), new Weighted(dora, 0.4f)));
    assertThat(logits(model, prompt, uses(half))).containsExactly(adapted, within(3e-3));
    assertThatThrownBy(() -> AdapterMath.svd("s", List.of(new Weighted(dora, 1)), 2))
        .hasMessageContaining("linearly");
  }

  @Test
  void experts_take_loras_too() throws Exception {
    ModelShape shape = ModelShape.tiny("qwen3moe").withExperts(4, 2);
    Path file = MadeModel.write(folder.resolve("moe.gguf"), shape, DType.F32, 1);
    try (Model moe = Model.load(file, LoadOptions.defaults())) {
      LoraAdapter lora = lora("l", moe, 3, 3, name -> name.contains("_exps"));
      Path merged = merged(file, folder.resolve("moe-merged.gguf"), lora, 1);
      int[] prompt = tokens(9, 4);
      float[] adapted = logits(moe, prompt, uses(lora));
      try (Model whole = Model.load(merged, LoadOptions.defaults())) {
        assertThat(adapted).containsExactly(logits(whole, prompt, List.of()), within(3e-3));
      }
    }
  }

  /** The rows of a soft prompt that repeats embeddings of tokens are those tokens. */
  @Test
  void a_soft_prompt_of_known_embeddings_is_that_text() throws Exception {
    int[] text = tokens(6, 9);
    Path file = folder.resolve("m.gguf");
    float[] table = read(file, GgufFile.open(file).tensor("token_embd.weight").orElseThrow());
    int width = model.hyperparams().embeddingLength();
    float[] rows = new float[text.length * width];
    for (int i = 0; i < text.length; i++) {
      System.arraycopy(table, text[i] * width, rows, i * width, width);
    }
    SoftPrompt soft = new SoftPrompt("s", "llama", text.length, width, rows);
    int[] prompt = tokens(4, 10);
    int[] whole = Arrays.copyOf(text, text.length + prompt.length);
    System.arraycopy(prompt, 0, whole, text.length, prompt.length);
    assertThat(logits(model, prompt, uses(soft))).isEqualTo(logits(model, whole, List.of()));
  }

  @Test
  void a_prefix_stays_in_a_cache_and_needs_no_rows() throws Exception {
    try (Engine engine = Engine.open(model, SMALL);
        KvSequence cache = engine.newSequence()) {
      List<AdapterUse> uses = uses(prefix(1));
      GenerateRequest first = request(tokens(40, 1)).withKeep(cache).withAdapters(uses);
      List<Integer> expected = ids(engine.submit(request(tokens(41, 1)).withAdapters(uses)));
      var _ = ids(engine.submit(first));
      Generation again = engine.submit(request(tokens(41, 1)).withKeep(cache).withAdapters(uses));
      assertThat(ids(again)).isEqualTo(expected);
      assertThat(again.usage().cachedTokens()).isEqualTo(45);
      assertThat(ids(engine.submit(request(tokens(41, 1))))).isNotEqualTo(expected);
      assertThat(engine.residentAdapters()).isEmpty();
      KeyValuePrefix other =
          new KeyValuePrefix("x", "llama", 1, 3, 3, List.of(new float[3]), List.of(new float[3]));
      assertRefused(engine, other).hasMessageContaining("layers");
    }
  }

  @Test
  void a_scale_of_zero_is_the_model_itself() throws Exception {
    int[] prompt = tokens(12, 4);
    List<AdapterUse> off =
        List.of(new AdapterUse(lora("l", model, 4, 1, _ -> true), 0), new AdapterUse(vector(2), 0));
    assertThat(logits(model, prompt, off)).isEqualTo(logits(model, prompt, List.of()));
  }

  @Test
  void keys_and_values_are_kept_only_for_the_same_adapters() throws Exception {
    LoraAdapter a = lora("a", model, 4, 1, _ -> true);
    try (Engine engine = Engine.open(model, SMALL);
        KvSequence cache = engine.newSequence()) {
      GenerateRequest first = request(tokens(40, 1)).withKeep(cache).withAdapters(uses(a));
      var _ = ids(engine.submit(first));
      Generation same = engine.submit(request(tokens(41, 1)).withKeep(cache).withAdapters(uses(a)));
      var _ = ids(same);
      assertThat(same.usage().cachedTokens()).isEqualTo(40);
      Generation other = engine.submit(request(tokens(41, 1)).withKeep(cache));
      List<Integer> fresh = ids(other);
      assertThat(other.usage().cachedTokens()).isZero();
      assertThat(fresh).isEqualTo(ids(engine.submit(request(tokens(41, 1)))));
    }
  }

  /** Memory for two of rank 8: the idle one that was used first makes room, a running one stays. */
  @Test
  void the_adapter_that_was_not_used_for_longest_makes_room() throws Exception {
    List<LoraAdapter> all = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      all.add(lora("l" + i, model, 8, i, _ -> true));
    }
    long two = 2 * all.getFirst().bytes();
    try (Engine engine = Engine.open(model, SMALL.withAdapterBytes(two))) {
      List<List<Integer>> expected = new ArrayList<>();
      for (LoraAdapter lora : all) {
        expected.add(ids(engine.submit(request(tokens(5, 1)).withAdapters(uses(lora)))));
      }
      List<Adapter> resident = List.copyOf(engine.residentAdapters());
      assertThat(resident).containsExactly(all.get(1), all.get(2));
      for (int i = 0; i < 3; i++) {
        assertThat(ids(engine.submit(request(tokens(5, 1)).withAdapters(uses(all.get(i))))))
            .isEqualTo(expected.get(i));
      }
      Generation tooMany =
          engine.submit(
              request(tokens(5, 1)).withAdapters(uses(all.get(0), all.get(1), all.get(2))));
      assertThatThrownBy(() -> ids(tooMany))
          .isInstanceOf(CapacityException.class)
          .hasMessageContaining("l2");
      assertThat(ids(engine.submit(request(tokens(5, 1)).withAdapters(uses(all.get(0))))))
          .isEqualTo(expected.get(0));
    }
  }

  @Test
  void an_adapter_of_another_model_is_refused_by_name() {
    LowRank wrong = new LowRank(8, 8, 2, 1, new float[16], new float[16], 1);
    try (Engine engine = Engine.open(model, SMALL)) {
      assertRefused(engine, new LoraAdapter("x", "qwen3", Map.of("blk.0.attn_q", wrong), Map.of()))
          .hasMessageContaining("qwen3");
      assertRefused(engine, new LoraAdapter("x", "llama", Map.of("blk.0.attn_q", wrong), Map.of()))
          .hasMessageContaining("blk.0.attn_q");
      assertRefused(engine, new LoraAdapter("x", "llama", Map.of("blk.99.attn_q", wrong), Map.of()))
          .hasMessageContaining("blk.99.attn_q");
      assertRefused(engine, new SoftPrompt("x", "llama", 1, 8, new float[8]))
          .hasMessageContaining("embedding");
      int width = model.hyperparams().embeddingLength();
      assertRefused(engine, new ControlVector("x", "llama", width, Map.of(99, new float[width])))
          .hasMessageContaining("layer 99");
    }
  }

  private static org.assertj.core.api.AbstractThrowableAssert<?, ?> assertRefused(
      Engine engine, Adapter adapter) {
    return assertThatThrownBy(
            () -> engine.submit(request(new int[] {1}).withAdapters(uses(adapter))))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("adapter x");
  }

  private static List<AdapterUse> uses(Adapter... adapters) {
    return Arrays.stream(adapters).map(a -> new AdapterUse(a, 1)).toList();
  }

  private static LoraAdapter lora(
      String name, Model model, int rank, long seed, Predicate<String> which) {
    SplittableRandom random = new SplittableRandom(seed);
    Map<String, LowRank> deltas = new TreeMap<>();
    for (StoredTensor w : model.weights().tensors()) {
      Shape s = w.shape();
      String matrix = w.name().replace(".weight", "");
      boolean product = s.d1() > 1 && !matrix.equals("token_embd") && !matrix.contains("norm");
      if (product && which.test(matrix)) {
        int in = (int) s.d0();
        int out = (int) s.d1();
        int experts = (int) s.d2();
        float[] a = values(random, in * rank * experts, 0.3f);
        float[] b = values(random, rank * out * experts, 0.3f);
        deltas.put(matrix, new LowRank(in, out, rank, experts, a, b, 0.5f));
      }
    }
    return new LoraAdapter(name, model.hyperparams().architecture(), deltas, Map.of());
  }

  /** The same with random gains of rows. */
  private static LoraAdapter dora(LoraAdapter lora, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Map<String, LowRank> deltas = new TreeMap<>();
    lora.deltas()
        .forEach((name, d) ->
            deltas.put(
                name,
                new LowRank(
                    d.in(),
                    d.out(),
                    d.rank(),
                    1,
                    d.a(),
                    d.b(),
                    d.scale(),
                    values(random, d.out(), 0.2f))));
    return new LoraAdapter(lora.name(), lora.architecture(), deltas, Map.of());
  }

  private static SoftPrompt soft(long seed) {
    int width = model.hyperparams().embeddingLength();
    return new SoftPrompt(
        "soft" + seed, "llama", 5, width, values(new SplittableRandom(seed), 5 * width, 1));
  }

  private static KeyValuePrefix prefix(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int layers = model.hyperparams().layerCount();
    int width = model.hyperparams().kvHeadCount() * model.hyperparams().headDim();
    List<float[]> keys = new ArrayList<>();
    List<float[]> values = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      keys.add(values(random, 5 * width, 1));
      values.add(values(random, 5 * width, 1));
    }
    return new KeyValuePrefix("prefix" + seed, "llama", 5, width, width, keys, values);
  }

  private static ControlVector vector(long seed) {
    int width = model.hyperparams().embeddingLength();
    SplittableRandom random = new SplittableRandom(seed);
    int last = model.hyperparams().layerCount() - 1;
    return new ControlVector(
        "vector" + seed,
        "llama",
        width,
        Map.of(0, values(random, width, 2), last, values(random, width, 2)));
  }

  private static float[] values(SplittableRandom random, int count, float size) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = size * (float) random.nextGaussian();
    }
    return values;
  }

  /** A copy of an F32 model with W + scale·B·A. */
  private static Path merged(Path from, Path to, LoraAdapter lora, float scale) throws Exception {
    GgufFile file = GgufFile.open(from);
    GgufWriter out = new GgufWriter();
    file.metadata().values().forEach(out::put);
    for (TensorInfo tensor : file.tensors()) {
      float[] values = read(from, tensor);
      LowRank d = lora.deltas().get(tensor.name().replace(".weight", ""));
      if (d != null) {
        add(values, d, scale);
      }
      byte[] bytes = Quantization.quantize(DType.F32, values, (int) tensor.shape().d0());
      out.tensor(tensor.name(), DType.F32, tensor.shape(), bytes);
    }
    out.write(to);
    return to;
  }

  private static void add(float[] values, LowRank d, float scale) {
    for (int row = 0; row < d.out() * d.experts(); row++) {
      int expert = row / d.out();
      for (int i = 0; i < d.in(); i++) {
        double sum = 0;
        for (int r = 0; r < d.rank(); r++) {
          sum += (double) d.b()[row * d.rank() + r] * d.a()[(expert * d.rank() + r) * d.in() + i];
        }
        values[row * d.in() + i] += (float) (scale * d.scale() * sum);
      }
    }
  }

  private static float[] read(Path file, TensorInfo tensor) throws Exception {
    float[] values = new float[(int) tensor.shape().elements()];
    try (FileChannel channel = FileChannel.open(file)) {
      channel
          .map(FileChannel.MapMode.READ_ONLY, tensor.offset(), tensor.bytes())
          .order(ByteOrder.LITTLE_ENDIAN)
          .asFloatBuffer()
          .get(values);
    }
    return values;
  }

  private static float[] logits(Model of, int[] prompt, List<AdapterUse> uses) throws Exception {
    List<float[]> seen = new ArrayList<>();
    LogitsObserver observer = (_, logits, count) -> seen.add(Arrays.copyOf(logits, count));
    try (Engine engine = Engine.open(of, SMALL)) {
      var _ =
          ids(
              engine.submit(
                  request(prompt).withMaxTokens(1).withObserver(observer).withAdapters(uses)));
    }
    return seen.getFirst();
  }

  private static double distance(float[] a, float[] b) {
    double most = 0;
    for (int i = 0; i < a.length; i++) {
      most = Math.max(most, Math.abs(a[i] - b[i]));
    }
    return most;
  }

  private static org.assertj.core.data.Offset<Float> within(double offset) {
    return org.assertj.core.data.Offset.offset((float) offset);
  }

  private static GenerateRequest request(int[] prompt) {
    return GenerateRequest.of(prompt).withLimits(new GenerateRequest.Limits(12, true, Set.of()));
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
}
