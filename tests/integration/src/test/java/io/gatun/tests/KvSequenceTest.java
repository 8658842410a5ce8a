package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.GeneratedToken;
import io.gatun.engine.Generation;
import io.gatun.engine.KvSequence;
import io.gatun.model.KvTypes;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import io.gatun.model.ModelFormatException;
import io.gatun.tensor.CapacityException;
import io.gatun.tensor.DType;
import io.gatun.tests.kit.MadeModel;
import io.gatun.tests.kit.ModelShape;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A sequence's cache as a value that programs hold. */
@Timeout(120)
class KvSequenceTest {
  private static final EngineOptions SMALL =
      EngineOptions.defaults().withContextTokens(512).withThreads(1).withBatchRows(64);

  @TempDir static Path folder;
  private static Path llama;
  private static Path gemma;
  private static Model model;

  @BeforeAll
  static void load() throws Exception {
    llama = MadeModel.write(folder.resolve("m.gguf"), ModelShape.tiny("llama"), DType.F32, 1);
    ModelShape windows = ModelShape.tiny("gemma2").withTied().with("attention.sliding_window", 48);
    gemma = MadeModel.write(folder.resolve("g.gguf"), windows, DType.F32, 1);
    model = Model.load(llama, LoadOptions.defaults());
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void appending_rewinding_and_forking_leave_what_computing_anew_would() throws Exception {
    int[] past = tokens(100);
    try (Engine engine = Engine.open(model, SMALL);
        KvSequence trunk = engine.newSequence()) {
      trunk.append(Arrays.copyOf(past, 60));
      trunk.append(Arrays.copyOfRange(past, 60, 100));
      assertThat(trunk.tokens()).isEqualTo(past);
      try (KvSequence branch = trunk.fork()) {
        branch.rewind(40);
        branch.append(7, 8, 9);
        assertThat(trunk.tokens()).isEqualTo(past);
        assertThat(branch.size()).isEqualTo(43);
        int[] other = Arrays.copyOf(past, 44);
        System.arraycopy(new int[] {7, 8, 9, 5}, 0, other, 40, 4);
        assertThat(generate(engine, branch, other)).isEqualTo(fresh(other));
        assertThat(generate(engine, trunk, past)).isEqualTo(fresh(past));
      }
      trunk.trim(trunk.size());
      assertThat(engine.statistics().freeCells()).isEqualTo(512);
    }
  }

  /** The second gives a sequence whose windows lie in cells of their own. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_saved_sequence_goes_on_bit_for_bit_in_another_engine(boolean windowed) throws Exception {
    Path file = folder.resolve("kept.kv");
    int[] prompt = tokens(windowed ? 400 : 100);
    EngineOptions options = windowed ? SMALL.withSequencesMax(1) : SMALL;
    List<GeneratedToken> expected;
    try (Model loaded = Model.load(windowed ? gemma : llama, LoadOptions.defaults())) {
      try (Engine engine = Engine.open(loaded, options);
          KvSequence sequence = engine.newSequence()) {
        sequence.append(Arrays.copyOf(prompt, prompt.length - 1));
        sequence.save(file);
        expected = generateAll(engine, sequence, prompt);
      }
      try (Engine engine = Engine.open(loaded, options);
          KvSequence restored = engine.restore(file)) {
        assertThat(restored.resident()).isEqualTo(prompt.length - 1);
        Generation generation = engine.submit(request(prompt).withLogprobs(2).withKeep(restored));
        List<GeneratedToken> tokens = all(generation);
        assertThat(tokens).isEqualTo(expected);
        assertThat(generation.usage().cachedTokens()).isEqualTo(prompt.length - 1);
      }
    }
  }

  @Test
  void a_saved_sequence_is_refused_where_it_does_not_belong() throws Exception {
    Path file = folder.resolve("refused.kv");
    try (Engine engine = Engine.open(model, SMALL);
        KvSequence sequence = engine.newSequence()) {
      sequence.append(tokens(300));
      sequence.save(file);
    }
    Path other = MadeModel.write(folder.resolve("o.gguf"), ModelShape.tiny("llama"), DType.F32, 2);
    try (Model stranger = Model.load(other, LoadOptions.defaults());
        Engine engine = Engine.open(stranger, SMALL)) {
      assertThatThrownBy(() -> engine.restore(file))
          .isInstanceOf(ModelFormatException.class)
          .hasMessageContaining("another model");
    }
    try (Engine engine = Engine.open(model, SMALL.withKvTypes(KvTypes.of(DType.F32)))) {
      assertThatThrownBy(() -> engine.restore(file)).hasMessageContaining("KV cache type");
    }
    try (Engine engine = Engine.open(model, SMALL.withContextTokens(256))) {
      assertThatThrownBy(() -> engine.restore(file))
          .isInstanceOf(CapacityException.class)
          .hasMessageContaining("300");
      assertThat(engine.statistics().freeCells()).isEqualTo(256);
      assertThatThrownBy(() -> engine.restore(folder.resolve("none.kv")))
          .isInstanceOf(NoSuchFileException.class);
    }
  }

  @Test
  void damaged_files_are_refused_wherever_the_damage_is() throws Exception {
    Path file = folder.resolve("whole.kv");
    try (Engine engine = Engine.open(model, SMALL);
        KvSequence sequence = engine.newSequence()) {
      sequence.append(tokens(20));
      sequence.save(file);
      byte[] whole = Files.readAllBytes(file);
      SplittableRandom random = new SplittableRandom(3);
      Path broken = folder.resolve("broken.kv");
      for (int i = 0; i < 60; i++) {
        byte[] bytes = whole.clone();
        int at = i < 30 ? i * 4 : random.nextInt(bytes.length);
        bytes[at] ^= (byte) (1 << random.nextInt(8));
        Files.write(broken, i % 10 == 9 ? Arrays.copyOf(bytes, at) : bytes);
        assertThatThrownBy(() -> engine.restore(broken))
            .as("damage at byte " + at)
            .isInstanceOf(ModelFormatException.class)
            .hasMessageContaining("broken.kv");
      }
      assertThat(engine.statistics().freeCells()).isEqualTo(512 - 20);
    }
    try (var files = Files.list(folder)) {
      assertThat(files.filter(f -> f.toString().endsWith(".part"))).isEmpty();
    }
  }

  @Test
  void misuse_is_an_exception() throws Exception {
    Engine engine = Engine.open(model, SMALL);
    KvSequence sequence = engine.newSequence();
    sequence.append(1, 2, 3);
    assertThatThrownBy(() -> sequence.rewind(4)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> sequence.remove(2, 1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> sequence.trim(-1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> sequence.append(-1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> sequence.append(tokens(600))).isInstanceOf(CapacityException.class);
    assertThat(sequence.tokens()).containsExactly(1, 2, 3);
    try (KvSequence fork = sequence.fork()) {
      Generation running = engine.submit(request(tokens(200)).withMaxTokens(300).withKeep(fork));
      assertThatThrownBy(() -> fork.rewind(1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("still using");
      running.cancel();
      running.awaitEnd();
    }
    sequence.close();
    sequence.close();
    assertThatThrownBy(sequence::tokens).hasMessageContaining("already closed");
    assertThat(engine.statistics().freeCells()).isEqualTo(512);
    KvSequence left = engine.newSequence();
    engine.close();
    assertThatThrownBy(() -> left.append(1)).isInstanceOf(IllegalStateException.class);
    left.close();
  }

  private static List<Integer> fresh(int[] prompt) throws Exception {
    try (Engine engine = Engine.open(model, SMALL);
        KvSequence sequence = engine.newSequence()) {
      return generate(engine, sequence, prompt);
    }
  }

  private static List<Integer> generate(Engine engine, KvSequence sequence, int[] prompt)
      throws Exception {
    return generateAll(engine, sequence, prompt).stream().map(GeneratedToken::id).toList();
  }

  private static List<GeneratedToken> generateAll(Engine engine, KvSequence sequence, int[] prompt)
      throws Exception {
    return all(engine.submit(request(prompt).withLogprobs(2).withKeep(sequence)));
  }

  private static GenerateRequest request(int[] prompt) {
    return GenerateRequest.of(prompt)
        .withLimits(new GenerateRequest.Limits(20, true, java.util.Set.of()));
  }

  private static List<GeneratedToken> all(Generation generation) throws Exception {
    List<GeneratedToken> tokens = new ArrayList<>();
    for (Optional<GeneratedToken> t = generation.next(); t.isPresent(); t = generation.next()) {
      tokens.add(t.get());
    }
    return tokens;
  }

  private static int[] tokens(int count) {
    return new SplittableRandom(11).ints(count, 0, 320).toArray();
  }
}
