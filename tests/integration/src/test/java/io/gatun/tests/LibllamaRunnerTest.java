package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.Gatun;
import io.gatun.LanguageModel;
import io.gatun.engine.AdapterUse;
import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.FinishReason;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.GeneratedToken;
import io.gatun.engine.Generation;
import io.gatun.engine.KvSequence;
import io.gatun.engine.embed.Embedder;
import io.gatun.engine.embed.EmbedderOptions;
import io.gatun.model.GraphSource;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.model.Pooling;
import io.gatun.model.UnsupportedModelException;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.adapter.LowRank;
import io.gatun.model.adapter.SoftPrompt;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.gguf.GgufWriter;
import io.gatun.tensor.DType;
import io.gatun.tests.kit.MadeMamba;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models that libllama computes, behind the same engine. */
@Timeout(120)
class LibllamaRunnerTest {
  private static final EngineOptions SMALL =
      EngineOptions.defaults().withContextTokens(1024).withThreads(1).withBatchRows(64);

  private static final LoadOptions FOREIGN =
      LoadOptions.defaults().withGraphs(GraphSource.LIBLLAMA);

  @TempDir static Path folder;
  private static Path llama;
  private static Path mamba;

  @BeforeAll
  static void write() {
    llama = MadeModel.write(folder.resolve("m.gguf"), ModelShape.tiny("llama"), DType.F32, 1);
    mamba = MadeMamba.write(folder.resolve("s.gguf"), 2);
  }

  @Test
  void a_file_without_a_graph_runs_and_says_who_computes_it() throws Exception {
    GgufFile file = GgufFile.open(mamba);
    assertThat(Model.choice(file, LoadOptions.defaults()).toString())
        .isEqualTo("libllama: Gatun has no graph for the architecture mamba");
    try (LanguageModel model = Gatun.load(mamba, LoadOptions.defaults(), SMALL)) {
      assertThat(generate(model.engine(), request(tokens(50)))).hasSize(20);
      assertThatThrownBy(() -> model.model().weights())
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("computed by libllama");
    }
    LoadOptions own = LoadOptions.defaults().withGraphs(GraphSource.OWN);
    assertThatThrownBy(() -> Model.load(mamba, own))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("Gatun has no graph for the architecture mamba, only for ");
  }

  @Test
  void an_architecture_that_nobody_knows_is_refused_by_name() throws Exception {
    Path file = folder.resolve("unknown.gguf");
    new GgufWriter()
        .put("general.architecture", "frobnicate")
        .put("frobnicate.embedding_length", 32)
        .put("frobnicate.block_count", 1)
        .put("frobnicate.context_length", 64)
        .put("tokenizer.ggml.model", "no_vocab")
        .write(file);
    assertThatThrownBy(() -> Gatun.load(file))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("frobnicate")
        .hasMessageContaining("unknown model architecture");
  }

  @Test
  void it_chooses_the_tokens_that_gatun_chooses() throws Exception {
    int[] prompt = tokens(200);
    try (Model ours = Model.load(llama, LoadOptions.defaults());
        Model theirs = Model.load(llama, FOREIGN);
        Engine one = Engine.open(ours, SMALL);
        Engine other = Engine.open(theirs, SMALL)) {
      assertThat(generate(other, request(prompt))).isEqualTo(generate(one, request(prompt)));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void requests_together_give_what_each_gives_alone(boolean recurrent) throws Exception {
    try (Model model = Model.load(recurrent ? mamba : llama, FOREIGN);
        Engine engine = Engine.open(model, SMALL)) {
      List<GenerateRequest> requests = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        requests.add(request(Arrays.copyOf(tokens(100 + i), 10 + 7 * i)));
      }
      List<List<Integer>> alone = new ArrayList<>();
      for (GenerateRequest request : requests) {
        alone.add(generate(engine, request));
      }
      List<Generation> together = engine.submitAll(requests);
      for (int i = 0; i < alone.size(); i++) {
        assertThat(ids(together.get(i))).as("request %d", i).isEqualTo(alone.get(i));
      }
      assertThat(engine.statistics().freeCells()).isEqualTo(engine.contextTokens());
    }
  }

  /** The state of a recurrent model cannot be rewound: it is computed again. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void sequences_fork_and_rewind(boolean recurrent) throws Exception {
    int[] past = tokens(90);
    try (Model model = Model.load(recurrent ? mamba : llama, FOREIGN);
        Engine engine = Engine.open(model, SMALL);
        KvSequence trunk = engine.newSequence()) {
      trunk.append(past);
      try (KvSequence branch = trunk.fork()) {
        branch.rewind(40);
        branch.append(7, 8, 9);
        int[] other = Arrays.copyOf(past, 44);
        System.arraycopy(new int[] {7, 8, 9, 5}, 0, other, 40, 4);
        assertThat(generate(engine, request(other).withKeep(branch)))
            .isEqualTo(generate(engine, request(other)));
      }
      int[] more = Arrays.copyOf(past, 91);
      assertThat(generate(engine, request(more).withKeep(trunk)))
          .isEqualTo(generate(engine, request(more)));
      trunk.rewind(50);
      trunk.remove(10, 20);
      assertThat(trunk.size()).isEqualTo(40);
      assertThat(generate(engine, request(Arrays.copyOf(trunk.tokens(), 41)).withKeep(trunk)))
          .hasSize(20);
      assertThatThrownBy(() -> trunk.save(folder.resolve("x.kv")))
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("libllama keeps the keys and values");
    }
  }

  /** libllama knows 256 sequences, and 8 of a recurrent model are allowed. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void more_sequences_are_held_than_libllama_has_numbers(boolean recurrent) throws Exception {
    int[] past = tokens(3);
    try (Model model = Model.load(recurrent ? mamba : llama, FOREIGN);
        Engine engine = Engine.open(model, SMALL.withSequencesMax(recurrent ? 64 : 4))) {
      List<KvSequence> held = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        KvSequence sequence = engine.newSequence();
        sequence.append(i, past[0], past[1], past[2]);
        held.add(sequence);
      }
      for (int i = 0; i < 20; i++) {
        int[] prompt = {i, past[0], past[1], past[2], 17};
        assertThat(generate(engine, request(prompt).withKeep(held.get(i))))
            .isEqualTo(generate(engine, request(prompt)));
      }
      held.forEach(KvSequence::close);
      assertThat(engine.statistics().freeCells()).isEqualTo(engine.contextTokens());
    }
  }

  @Test
  void requests_of_different_adapters_share_a_step() throws Exception {
    try (Model ours = Model.load(llama, LoadOptions.defaults());
        Model theirs = Model.load(llama, FOREIGN);
        Engine one = Engine.open(ours, SMALL);
        Engine other = Engine.open(theirs, SMALL)) {
      int[] prompt = tokens(40);
      Adapter a = lora("a", ours, 3);
      Adapter b = lora("b", ours, 4);
      List<GenerateRequest> requests =
          List.of(
              request(prompt).withAdapters(List.of(new AdapterUse(a, 1))),
              request(prompt),
              request(prompt).withAdapters(List.of(new AdapterUse(b, 0.5f))),
              request(prompt).withAdapters(List.of(new AdapterUse(a, 1), new AdapterUse(b, 1))));
      List<Generation> expected = one.submitAll(requests);
      List<Generation> got = other.submitAll(requests);
      for (int i = 0; i < requests.size(); i++) {
        assertThat(ids(got.get(i))).as("request %d", i).isEqualTo(ids(expected.get(i)));
      }
      assertThat(other.residentAdapters()).containsExactlyInAnyOrder(a, b);
      other.evict(a);
      assertThat(other.residentAdapters()).containsExactly(b);
      SoftPrompt soft =
          new SoftPrompt("s", "llama", 1, ours.hyperparams().embeddingLength(), new float[256]);
      assertThatThrownBy(() ->
              ids(other.submit(request(prompt).withAdapters(List.of(new AdapterUse(soft, 1))))))
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("adapter s: libllama computes this model");
    }
  }

  @Test
  void a_cancelled_request_ends_and_leaves_no_cells() throws Exception {
    try (Model model = Model.load(llama, FOREIGN);
        Engine engine = Engine.open(model, SMALL)) {
      Generation generation = engine.submit(request(tokens(30)).withMaxTokens(900));
      var _ = generation.next();
      generation.cancel();
      assertThat(generation.finishReason()).isEqualTo(FinishReason.CANCELLED);
      assertThat(engine.statistics().freeCells()).isEqualTo(engine.contextTokens());
      assertThat(generate(engine, request(tokens(5)))).hasSize(20);
    }
  }

  @Test
  void texts_get_the_vectors_that_gatun_makes() throws Exception {
    List<int[]> texts = List.of(tokens(5), tokens(150), tokens(31));
    EmbedderOptions options =
        EmbedderOptions.defaults().withThreads(1).withPooling(Pooling.MEAN).withBatchRows(64);
    try (Model ours = Model.load(llama, LoadOptions.defaults());
        Model theirs = Model.load(llama, FOREIGN);
        Embedder one = Embedder.open(ours, options);
        Embedder other = Embedder.open(theirs, options)) {
      List<float[]> expected = one.embed(texts);
      List<float[]> got = other.embed(texts);
      for (int i = 0; i < texts.size(); i++) {
        for (int k = 0; k < expected.get(i).length; k++) {
          assertThat(got.get(i)[k])
              .isCloseTo(expected.get(i)[k], org.assertj.core.data.Offset.offset(5e-3f));
        }
      }
    }
  }

  private static GenerateRequest request(int[] prompt) {
    return GenerateRequest.of(prompt).withMaxTokens(20);
  }

  private static List<Integer> generate(Engine engine, GenerateRequest request) throws Exception {
    return ids(engine.submit(request));
  }

  private static List<Integer> ids(Generation generation) throws Exception {
    try (generation) {
      List<Integer> ids = new ArrayList<>();
      for (var next = generation.next(); next.isPresent(); next = generation.next()) {
        ids.add(next.map(GeneratedToken::id).get());
      }
      return ids;
    }
  }

  private static int[] tokens(int count) {
    return new SplittableRandom(count).ints(count, 0, 290).toArray();
  }

  private static LoraAdapter lora(String name, Model model, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Map<String, LowRank> deltas = new TreeMap<>();
    for (int layer = 0; layer < model.hyperparams().layerCount(); layer++) {
      String matrix = "blk.%d.attn_q".formatted(layer);
      var shape = model.file().tensor(matrix + ".weight").orElseThrow().shape();
      int in = (int) shape.d0();
      int out = (int) shape.d1();
      float[] a = values(random, in * 4);
      float[] b = values(random, out * 4);
      deltas.put(matrix, new LowRank(in, out, 4, 1, a, b, 0.5f));
    }
    return new LoraAdapter(name, "llama", deltas, Map.of());
  }

  private static float[] values(SplittableRandom random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = 0.3f * (float) random.nextGaussian();
    }
    return values;
  }
}
