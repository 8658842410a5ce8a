package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.model.TextDecoder;
import io.gatun.model.Vocabulary;
import io.gatun.model.gguf.GgufFile;
import io.gatun.tests.kit.SharedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class VocabularyTest {
  /** The vocabularies that are there as files, on the texts that llama.cpp tests them with. */
  @TestFactory
  Stream<DynamicTest> known_texts_give_known_tokens() throws IOException {
    Path folder = SharedFiles.require("data/tokenizers");
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(f -> f.toString().endsWith(".gguf")).sorted().toList().stream()
          .map(f -> DynamicTest.dynamicTest(f.getFileName().toString(), () -> check(f)));
    }
  }

  private static void check(Path file) throws IOException {
    String name = file.getFileName().toString().replaceAll("(ggml-vocab-)?(.*)\\.gguf", "$2");
    Path cases = file.resolveSibling("cases-" + name + ".json");
    assertThat(cases).exists();
    JsonNode list = JsonMapper.shared().readTree(cases.toFile());
    JsonNode all = list.isArray() ? list : list.get("cases");
    try (Vocabulary vocabulary = Vocabulary.of(GgufFile.open(file))) {
      for (JsonNode c : all) {
        JsonNode ids = c.has("ids") ? c.get("ids") : c.get(1);
        JsonNode text = c.has("text") ? c.get("text") : c.get(0);
        int[] expected = new int[ids.size()];
        for (int i = 0; i < expected.length; i++) {
          expected[i] = ids.get(i).asInt();
        }
        assertThat(vocabulary.encode(text.asString(), false, false))
            .as(text.asString())
            .isEqualTo(expected);
      }
    }
  }

  @Test
  void text_appears_only_in_whole_characters() throws IOException {
    try (Vocabulary vocabulary = Vocabulary.of(GgufFile.open(SharedFiles.stories()))) {
      String text = "naïve 🦀 语言 ok";
      int[] tokens = vocabulary.encode(text, false, false);
      TextDecoder decoder = new TextDecoder(vocabulary);
      StringBuilder all = new StringBuilder();
      for (int token : tokens) {
        String piece = decoder.accept(token);
        assertThat(piece).doesNotContain("\ufffd");
        if (!piece.isEmpty()) {
          assertThat(Character.isHighSurrogate(piece.charAt(piece.length() - 1))).isFalse();
        }
        all.append(piece);
      }
      assertThat(decoder.finish()).isEmpty();
      assertThat(all.toString().strip()).isEqualTo(text);
      assertThat(tokens.length).as("bytes, each a token of its own").isGreaterThan(12);

      TextDecoder cut = new TextDecoder(vocabulary);
      int[] crab = vocabulary.encode("🦀", false, false);
      for (int i = 0; i < crab.length - 1; i++) {
        assertThat(cut.accept(crab[i]).strip()).isEmpty();
      }
      assertThat(cut.finish()).isEqualTo("\ufffd");
    }
  }

  @Test
  void special_tokens_are_only_parsed_when_asked_for() throws IOException {
    try (Vocabulary vocabulary = Vocabulary.of(GgufFile.open(SharedFiles.stories()))) {
      assertThat(vocabulary.addsBegin()).isTrue();
      assertThat(vocabulary.encode("a", true, false)[0])
          .isEqualTo(vocabulary.beginToken().orElseThrow());
      assertThat(vocabulary.encode("</s>", false, false)).hasSizeGreaterThan(1);
      assertThat(vocabulary.encode("</s>", false, true))
          .contains(vocabulary.endToken().orElseThrow());
      assertThat(vocabulary.endsGeneration(vocabulary.endToken().orElseThrow())).isTrue();
      assertThat(vocabulary.decode(vocabulary.endToken().orElseThrow())).isEmpty();
    }
  }

  /** Without an owner for the native vocabulary, this ended the JVM. */
  @Test
  @Timeout(120)
  void closing_while_others_tokenize_is_an_exception_for_them() throws Exception {
    String text = "Lily went to the park and ".repeat(4000);
    for (int round = 0; round < 20; round++) {
      Vocabulary vocabulary = Vocabulary.of(GgufFile.open(SharedFiles.stories()));
      try (var executor = Executors.newFixedThreadPool(3)) {
        List<Future<Throwable>> ends = new ArrayList<>();
        CountDownLatch started = new CountDownLatch(3);
        ends.add(executor.submit(() -> untilClosed(started, () -> encode(vocabulary, text))));
        ends.add(executor.submit(() -> untilClosed(started, () -> encode(vocabulary, "a"))));
        ends.add(executor.submit(() -> untilClosed(started, () -> both(vocabulary))));
        started.await();
        vocabulary.close();
        for (Future<Throwable> end : ends) {
          assertThat(end.get())
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("already closed");
        }
      }
      vocabulary.close();
      pieces(vocabulary); // which are in Java's memory: a stream can still be read
    }
  }

  private static void both(Vocabulary vocabulary) {
    pieces(vocabulary);
    encode(vocabulary, "a");
  }

  private static Throwable untilClosed(CountDownLatch started, Runnable use) {
    try {
      use.run();
      started.countDown();
      while (true) {
        use.run();
      }
    } catch (RuntimeException e) {
      return e;
    }
  }

  private static void encode(Vocabulary vocabulary, String text) {
    assertThat(vocabulary.encode(text, true, false)).isNotEmpty();
  }

  private static void pieces(Vocabulary vocabulary) {
    for (int token = 0; token < vocabulary.size(); token++) {
      assertThat(vocabulary.show(token)).isNotNull();
      assertThat(vocabulary.endsGeneration(token)).isEqualTo(token == 2);
    }
  }

  /** What was read at load is what libllama says when asked one by one. */
  @Test
  void tokens_are_known_without_asking_libllama_again() throws IOException {
    try (Vocabulary vocabulary = Vocabulary.of(GgufFile.open(SharedFiles.stories()))) {
      assertThat(vocabulary.bytes(1)).isEmpty();
      assertThat(vocabulary.show(1)).contains("<s>");
      assertThat(vocabulary.control(1)).isTrue();
      assertThat(vocabulary.control(300)).isFalse();
      assertThat(vocabulary.bytes(3 + 0xc3)).containsExactly(0xc3);
      assertThatThrownBy(() -> vocabulary.bytes(vocabulary.size()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("outside 0..511");
      assertThatThrownBy(() -> vocabulary.endsGeneration(-1))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
