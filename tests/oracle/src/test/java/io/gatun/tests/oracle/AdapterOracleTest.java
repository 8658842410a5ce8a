package io.gatun.tests.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.adapters.peft.AdapterMath;
import io.gatun.adapters.peft.AdapterMerge;
import io.gatun.adapters.peft.BaseModel;
import io.gatun.adapters.peft.PeftFormat;
import io.gatun.adapters.peft.Weighted;
import io.gatun.engine.AdapterUse;
import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.AdapterFile;
import io.gatun.model.adapter.ControlVector;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.model.gguf.TensorInfo;
import io.gatun.model.gguf.TensorReader;
import io.gatun.tensor.DType;
import io.gatun.tensor.Kernels;
import io.gatun.tensor.NativeException;
import io.gatun.tensor.Quantization;
import io.gatun.tensor.Shape;
import io.gatun.tensor.llama.LlamaContext;
import io.gatun.tensor.llama.LlamaModel;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** libllama loads adapters that Gatun writes, and computes with them what Gatun means. */
class AdapterOracleTest {
  private static final int ROWS = 24;

  @TempDir Path folder;

  private Path model = Path.of("");
  private int[] tokens = new int[0];

  @BeforeEach
  void make() {
    use(ModelShape.tiny("llama").withLayers(2));
  }

  private void use(ModelShape shape) {
    model = MadeModel.write(folder.resolve("model.gguf"), shape, DType.F32, 1);
    tokens = ArchitectureOracleTest.tokens(shape, ROWS, 2);
  }

  /** The strongest sign that a file means the same to both: merged is the same as loaded. */
  @ParameterizedTest
  @ValueSource(strings = {"llama", "qwen3", "gemma3", "phi3", "qwen3moe"})
  void a_merged_model_is_the_base_with_the_adapter_loaded(String architecture) throws IOException {
    ModelShape shape = ModelShape.tiny(architecture).withLayers(2);
    use(architecture.equals("qwen3moe") ? shape.withExperts(8, 2) : shape);
    LoraAdapter lora = lora("it", _ -> true, 4, 2, 3);
    Path file = folder.resolve("it.gguf");
    AdapterFile.write(lora, DType.F32, file);
    Path merged = folder.resolve("merged.gguf");
    GgufFile base = GgufFile.open(model);
    AdapterMerge.of(base, List.of(new Weighted(AdapterFile.read(file), 0.8f))).write(merged);
    float[] plain = logits(model);
    float[] loaded = logits(model, file, 0.8f);
    float[] folded = logits(merged);
    assertThat(farthest(plain, loaded)).as("it does something").isGreaterThan(0.8f);
    assertThat(farthest(loaded, folded)).as("merged against loaded").isLessThan(tolerance(loaded));
  }

  @Test
  void ranks_and_scales_that_differ_by_matrix_survive_the_file() throws IOException {
    Map<String, LowRank> deltas = new TreeMap<>();
    deltas.putAll(lora("q", n -> n.contains("attn_q"), 2, 0.25f, 4).deltas());
    deltas.putAll(lora("v", n -> n.contains("attn_v"), 5, 1.5f, 5).deltas());
    requireSame(new LoraAdapter("it", "llama", deltas, Map.of()), DType.F32, 1);
  }

  @Test
  void half_precision_is_loaded_too() throws IOException {
    requireSame(lora("it", n -> n.contains("ffn"), 4, 0.5f, 6), DType.F16, 4);
  }

  @Test
  void a_sum_of_adapters_is_what_libllama_makes_of_it() throws IOException {
    LoraAdapter one = lora("one", n -> n.contains("attn"), 3, 0.5f, 7);
    LoraAdapter two = lora("two", n -> n.contains("attn_q") || n.contains("ffn"), 2, 1f, 8);
    List<Weighted> parts = List.of(new Weighted(one, 0.5f), new Weighted(two, -0.75f));
    Path merged = folder.resolve("merged.gguf");
    AdapterMerge.of(GgufFile.open(model), parts).write(merged);
    float[] expected = logits(merged);
    Path file = folder.resolve("sum.gguf");
    for (LoraAdapter sum :
        List.of((LoraAdapter) AdapterMath.linear("sum", parts), AdapterMath.svd("sum", parts, 5))) {
      AdapterFile.write(sum, DType.F32, file);
      assertThat(farthest(logits(model, file, 1), expected)).isLessThan(tolerance(expected));
    }
  }

  @Test
  void what_went_through_peft_is_the_same_adapter() throws IOException {
    LoraAdapter lora = lora("it", n -> n.contains("attn"), 3, 0.5f, 9);
    BaseModel base = BaseModel.of(GgufFile.open(model));
    PeftFormat.write(lora, base, DType.F32, folder.resolve("peft"));
    requireSame((LoraAdapter) PeftFormat.read(folder.resolve("peft"), base), DType.F32, 1);
  }

  @Test
  void metadata_is_written_as_libllama_reads_it() throws IOException {
    LoraAdapter plain = lora("it", n -> n.contains("attn_q"), 2, 1f, 10);
    LoraAdapter lora =
        new LoraAdapter(
            "it",
            "llama",
            plain.deltas(),
            Map.of(
                "adapter.lora.task_name", "größer",
                "adapter.alora.invocation_tokens", "1 5 7"));
    Path file = folder.resolve("it.gguf");
    AdapterFile.write(lora, DType.F32, file);
    assertThat(((LoraAdapter) AdapterFile.read(file)).metadata()).isEqualTo(lora.metadata());
    assertThat(logits(model, file, 1)).isNotEmpty();
  }

  /** It would leave the gains out otherwise. */
  @Test
  void libllama_refuses_a_dora_and_loads_a_merged_one() throws IOException {
    Map<String, LowRank> deltas = new TreeMap<>();
    lora("it", n -> n.contains("attn_q"), 2, 1f, 12)
        .deltas()
        .forEach((name, d) -> {
          float[] gain = new float[d.out()];
          Arrays.fill(gain, 0.25f);
          deltas.put(name, new LowRank(d.in(), d.out(), 2, 1, d.a(), d.b(), d.scale(), gain));
        });
    LoraAdapter dora = new LoraAdapter("it", "llama", deltas, Map.of());
    Path file = folder.resolve("it.gguf");
    AdapterFile.write(dora, DType.F32, file);
    assertThatThrownBy(() -> logits(model, file, 1)).isInstanceOf(NativeException.class);
    Path merged = folder.resolve("merged.gguf");
    AdapterMerge.of(GgufFile.open(model), List.of(Weighted.of(dora))).write(merged);
    assertThat(farthest(logits(merged), logits(model))).isGreaterThan(1e-3f);
  }

  /** The check of our own reader, turned round: libllama refuses what we refuse. */
  @Test
  void an_adapter_of_another_model_is_refused_by_both() throws IOException {
    LoraAdapter lora = lora("it", n -> n.contains("attn_q"), 2, 1f, 11);
    Path file = folder.resolve("it.gguf");
    AdapterFile.write(new LoraAdapter("it", "qwen3", lora.deltas(), Map.of()), DType.F32, file);
    assertThatThrownBy(() -> logits(model, file, 1)).isInstanceOf(NativeException.class);
    assertThatThrownBy(() ->
            AdapterMerge.of(GgufFile.open(model), List.of(Weighted.of(AdapterFile.read(file)))))
        .hasMessageContaining("qwen3");
  }

  /** Rounding to 8 bits moves the merged weights; the merged model must still be near. */
  @Test
  void a_quantised_model_keeps_its_types_when_it_is_merged() throws IOException {
    ModelShape shape = ModelShape.tiny("llama").withLayers(2);
    model = MadeModel.write(folder.resolve("model.gguf"), shape, DType.Q8_0, 1);
    LoraAdapter lora = lora("it", n -> n.contains("attn_q"), 4, 0.5f, 12);
    Path file = folder.resolve("it.gguf");
    AdapterFile.write(lora, DType.F32, file);
    Path merged = folder.resolve("merged.gguf");
    AdapterMerge merge = AdapterMerge.of(GgufFile.open(model), List.of(Weighted.of(lora)));
    merge.write(merged);
    assertThat(types(merged)).isEqualTo(types(model));
    float[] loaded = logits(model, file, 1);
    assertThat(farthest(logits(merged), loaded)).isLessThan(0.1f);
    merge.withType(DType.F32).write(merged);
    assertThat(types(merged).get("blk.0.attn_q.weight")).isEqualTo(DType.F32);
    assertThat(types(merged).get("blk.0.attn_k.weight")).isEqualTo(DType.Q8_0);
    assertThat(farthest(logits(merged), loaded)).isLessThan(0.1f);
  }

  /** direction.1 is added where a bias of the last matrix of blk.1 is added: behind layer 1. */
  @Test
  void directions_count_layers_as_their_tensors_do() throws IOException {
    use(ModelShape.tiny("llama").withLayers(4));
    float[] direction = values(new SplittableRandom(13), 256, 1);
    Path biased = folder.resolve("biased.gguf");
    GgufFile base = GgufFile.open(model);
    GgufWriter out = new GgufWriter();
    base.metadata().values().forEach(out::put);
    try (TensorReader reader = TensorReader.open(base)) {
      for (TensorInfo t : base.tensors()) {
        var _ = out.tensor(t.name(), t.type(), t.shape(), channel -> reader.copy(t, channel));
      }
      byte[] bytes = Quantization.quantize(DType.F32, direction, 256);
      out.tensor("blk.1.ffn_down.bias", DType.F32, Shape.of(256), bytes).write(biased);
    }
    float[] expected = logits(biased);
    assertThat(farthest(logits(model), expected)).as("it does something").isGreaterThan(0.1f);
    // As llama.cpp's common_control_vector_load lays direction.1 out: first of all.
    float[] laidOut = Arrays.copyOf(direction, 3 * 256);
    try (LlamaModel llama = LlamaModel.load(model, false, 0)) {
      float[] steered = logits(llama, context -> context.setControlVector(laidOut, 256));
      assertThat(farthest(steered, expected)).isLessThan(1e-5f);
    }
    Path file = folder.resolve("vector.gguf");
    AdapterFile.write(new ControlVector("v", "llama", 256, Map.of(1, direction)), DType.F32, file);
    assertThat(GgufFile.open(file).tensor("direction.1")).isPresent();
    float[] ours = engine(AdapterFile.read(file));
    assertThat(farthest(ours, Arrays.copyOf(expected, ours.length)))
        .isLessThan(tolerance(expected));
  }

  /** The same file in Gatun's engine and in libllama. */
  @Test
  void gatun_and_libllama_give_the_same_with_a_lora() throws IOException {
    Path file = folder.resolve("it.gguf");
    AdapterFile.write(lora("it", _ -> true, 4, 2, 14), DType.F32, file);
    float[] expected = logits(model, file, 1);
    float[] ours = engine(AdapterFile.read(file));
    assertThat(farthest(ours, Arrays.copyOf(expected, ours.length)))
        .isLessThan(tolerance(expected));
  }

  /** The logits of the last token, by Gatun. */
  private float[] engine(Adapter adapter) throws IOException {
    AtomicReference<float[]> seen = new AtomicReference<>(new float[0]);
    try (Model loaded = Model.load(model, LoadOptions.defaults().withGpuLayers(0));
        Engine engine =
            Engine.open(
                loaded,
                EngineOptions.defaults()
                    .withContextTokens(256)
                    .withThreads(2)
                    .withKernels(Kernels.ggml()))) {
      var _ =
          engine
              .submit(
                  GenerateRequest.of(tokens)
                      .withMaxTokens(1)
                      .withAdapters(List.of(new AdapterUse(adapter, 1)))
                      .withObserver((position, logits, count) -> {
                        if (position == ROWS - 1) {
                          seen.set(Arrays.copyOf(logits, count));
                        }
                      }))
              .finishReason();
    }
    assertThat(seen.get()).isNotEmpty();
    return seen.get();
  }

  private void requireSame(LoraAdapter lora, DType type, float looseness) throws IOException {
    Path file = folder.resolve("adapter.gguf");
    AdapterFile.write(lora, type, file);
    Path merged = folder.resolve("merged.gguf");
    AdapterMerge.of(GgufFile.open(model), List.of(Weighted.of(lora))).write(merged);
    float[] expected = logits(merged);
    assertThat(farthest(logits(model), expected)).as("it does something").isGreaterThan(0.1f);
    assertThat(farthest(logits(model, file, 1), expected))
        .isLessThan(looseness * tolerance(expected));
  }

  /** Sums in another order, and keys and values that libllama rounds to F16 afterwards. */
  private static float tolerance(float[] logits) {
    float most = 0;
    for (float logit : logits) {
      most = Math.max(most, Math.abs(logit));
    }
    return 1e-3f * Math.max(1, most);
  }

  private static float farthest(float[] one, float[] other) {
    assertThat(other).hasSameSizeAs(one);
    float most = 0;
    for (int i = 0; i < one.length; i++) {
      most = Math.max(most, Math.abs(one[i] - other[i]));
    }
    return most;
  }

  private static Map<String, DType> types(Path file) throws IOException {
    Map<String, DType> types = new TreeMap<>();
    GgufFile.open(file).tensors().forEach(t -> types.put(t.name(), t.type()));
    return types;
  }

  private float[] logits(Path file) {
    try (LlamaModel llama = LlamaModel.load(file, false, 0)) {
      return logits(llama, _ -> {});
    }
  }

  private float[] logits(Path file, Path adapter, float scale) {
    try (LlamaModel llama = LlamaModel.load(file, false, 0)) {
      return logits(llama, context -> context.setAdapter(llama.adapter(adapter), scale));
    }
  }

  private float[] logits(LlamaModel llama, Consumer<LlamaContext> setUp) {
    try (LlamaContext context = new LlamaContext(llama, 256, ROWS, 1, 2)) {
      setUp.accept(context);
      int[] positions = new int[ROWS];
      boolean[] wanted = new boolean[ROWS];
      Arrays.setAll(positions, i -> i);
      Arrays.fill(wanted, true);
      context.decode(tokens, positions, new int[ROWS], wanted);
      float[] last = context.logits(ROWS - 1);
      float[] both = Arrays.copyOf(last, 2 * last.length);
      System.arraycopy(context.logits(5), 0, both, last.length, last.length);
      return both;
    }
  }

  /** Random changes of all matrices in layers whose names are wanted. */
  private LoraAdapter lora(String name, Predicate<String> wanted, int rank, float scale, long seed)
      throws IOException {
    GgufFile file = GgufFile.open(model);
    SplittableRandom random = new SplittableRandom(seed);
    Map<String, LowRank> deltas = new TreeMap<>();
    for (TensorInfo tensor : file.tensors()) {
      String tensorName = tensor.name();
      if (tensorName.startsWith("blk.") && tensor.shape().d1() > 1 && wanted.test(tensorName)) {
        int in = (int) tensor.shape().d0();
        int out = (int) tensor.shape().d1();
        int experts = (int) tensor.shape().d2();
        deltas.put(
            tensorName.substring(0, tensorName.length() - ".weight".length()),
            new LowRank(
                in,
                out,
                rank,
                experts,
                values(random, in * rank * experts, 0.1f),
                values(random, rank * out * experts, 0.1f),
                scale));
      }
    }
    return new LoraAdapter(
        name, file.metadata().text("general.architecture").orElseThrow(), deltas, Map.of());
  }

  private static float[] values(SplittableRandom random, int count, float range) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextDouble(-range, range);
    }
    return values;
  }
}
