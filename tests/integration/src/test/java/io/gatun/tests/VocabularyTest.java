package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.TextDecoder;
import io.gatun.model.Vocabulary;
import io.gatun.model.gguf.GgufFile;
import io.gatun.tests.kit.SharedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
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
}
