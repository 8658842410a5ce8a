package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.gatun.bindings.GatunException;
import io.gatun.model.ModelFormatException;
import io.gatun.model.Vocabulary;
import io.gatun.model.gguf.GgufFile;
import io.gatun.tensor.NativeException;
import io.gatun.tensor.NativeThread;
import io.gatun.tensor.llama.LlamaModel;
import io.gatun.tests.kit.ModelCopy;
import io.gatun.tests.kit.SharedFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Vocabularies from strangers, in libllama's hands: each tokenizes or is a typed exception. A
 * failure that this cannot catch ends the test's JVM.
 */
class HostileVocabularyTest {
  private static final int ROUNDS = Integer.getInteger("gatun.hostile.rounds", 300);
  private static final String TEXT = "Once upon ü 模 🦀 <s> x\n\u0000</s>";

  @TempDir Path folder;

  @Test
  @Timeout(600)
  void a_real_header_with_one_or_two_other_bytes() throws IOException {
    Path stories = SharedFiles.stories();
    byte[] original = Files.readAllBytes(stories);
    int header =
        GgufFile.open(stories).tensors().stream()
            .mapToInt(t -> (int) t.offset())
            .min()
            .orElseThrow();
    int worked = 0;
    for (int round = 0; round < ROUNDS; round++) {
      Path file = folder.resolve("changed.gguf");
      Files.write(file, changed(original, header, new SplittableRandom(round * 7919L + 11)));
      worked += works(file, round) ? 1 : 0;
    }
    assertThat(worked).as("vocabularies that still worked").isPositive();
  }

  private static boolean works(Path file, int round) {
    try (Vocabulary vocabulary = Vocabulary.of(GgufFile.open(file))) {
      for (boolean special : new boolean[] {false, true}) {
        for (int token : vocabulary.encode(TEXT, special, special)) {
          assertThat(vocabulary.bytes(token)).isNotNull();
          assertThat(vocabulary.show(token)).isNotNull();
          assertThat(vocabulary.endsGeneration(token)).isIn(true, false);
        }
      }
      return true;
    } catch (GatunException refused) {
      assertThat(refused.getMessage()).isNotBlank();
      return false;
    } catch (IllegalArgumentException refused) {
      // A tokenizer whose special tokens are not in its own vocabulary.
      assertThat(refused.getMessage()).contains("token");
      return false;
    } catch (IOException | RuntimeException e) {
      return fail("round " + round, e);
    }
  }

  /** Every byte that is no other token is written as such a token, in C++ without a way out. */
  @Test
  void a_missing_byte_token_is_found_before_a_text_needs_it() throws IOException {
    byte[] bytes = Files.readAllBytes(SharedFiles.stories());
    int at = indexOf(bytes, "<0xC3>");
    bytes[at + 1] = '1';
    Path file = folder.resolve("nobyte.gguf");
    Files.write(file, bytes);
    assertThatThrownBy(() -> Vocabulary.of(GgufFile.open(file)))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("nobyte.gguf")
        .hasMessageContaining("<0xC3>");
  }

  /** Behind the checks: what they have overlooked costs a thread. */
  @Test
  @Timeout(60)
  void a_cpp_exception_ends_the_thread_and_not_the_process() throws IOException {
    assumeFalse(
        System.getProperty("os.name").startsWith("Windows"), "skipped: not trapped on Windows");
    byte[] bytes = Files.readAllBytes(SharedFiles.stories());
    bytes[indexOf(bytes, "<0xC3>") + 1] = '1';
    Path file = folder.resolve("nobyte.gguf");
    Files.write(file, bytes);
    NativeThread thread = new NativeThread("doomed");
    LlamaModel llama = thread.call(() -> LlamaModel.vocabularyOf(file));
    assertThat(thread.<int[]>call(() -> llama.tokenize("u", false, false))).isNotEmpty();
    assertThatThrownBy(() -> thread.call(() -> llama.tokenize("ü", false, false)))
        .isInstanceOf(NativeException.class)
        .hasMessageContaining("doomed is dead")
        .hasMessageContaining("C++ exception")
        .hasMessageContaining("out_of_range");
    assertThat(thread.dead()).isTrue();
    thread.close();

    try (Vocabulary other = Vocabulary.of(GgufFile.open(SharedFiles.stories()))) {
      assertThat(other.encode("ü", false, false)).isNotEmpty();
    }
  }

  /** The vocabulary of one kind of tokenizer, called that of another. */
  @ParameterizedTest
  @Timeout(60)
  @ValueSource(
      strings = {"bert", "gpt2", "t5", "rwkv", "plamo2", "gemma4", "none", "whitespace", "x"})
  void another_kind_of_tokenizer_works_or_is_refused(String kind) throws IOException {
    Path file = folder.resolve(kind + ".gguf");
    var _ = ModelCopy.with(SharedFiles.stories(), file, "tokenizer.ggml.model", kind);
    assertThat(works(file, 0)).isIn(true, false);
  }

  /** RWKV's tokenizer looks for ever for the end of a token that has only a beginning. */
  @Test
  @Timeout(60)
  void a_tokenizer_that_would_never_end_is_refused() throws IOException {
    Path file = folder.resolve("rwkv.gguf");
    var _ = ModelCopy.with(SharedFiles.stories(), file, "tokenizer.ggml.model", "rwkv");
    assertThatThrownBy(() -> Vocabulary.of(GgufFile.open(file)))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("but not the byte itself");
  }

  private static byte[] changed(byte[] original, int header, SplittableRandom random) {
    byte[] bytes = original.clone();
    for (int e = 0; e <= random.nextInt(2); e++) {
      int at = 24 + random.nextInt(header - 24);
      switch (random.nextInt(4)) {
        case 0 -> bytes[at] = (byte) random.nextInt();
        case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 2 -> bytes[at]++;
        default -> bytes[at] = 0;
      }
    }
    return bytes;
  }

  private static int indexOf(byte[] bytes, String text) {
    return new String(bytes, StandardCharsets.ISO_8859_1).indexOf(text);
  }
}
