package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.Vocabulary;
import io.gatun.model.gguf.GgufFile;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Items;
import io.gatun.model.json.JsonValue.Members;
import io.gatun.tests.kit.SharedFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Texts become the tokens that Hugging Face's tokenizers make of them. */
class TokenizerParityTest {
  @TestFactory
  Stream<DynamicTest> texts_become_the_same_tokens_as_with_hugging_face() throws Exception {
    Path folder = SharedFiles.require("data/tokenizers");
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(f -> f.getFileName().toString().startsWith("cases-"))
          .sorted()
          .toList()
          .stream()
          .map(f -> DynamicTest.dynamicTest(f.getFileName().toString(), () -> check(f)));
    }
  }

  private static void check(Path file) throws Exception {
    Members all = (Members) JsonReader.read(Files.readString(file));
    Path vocabulary = file.resolveSibling(all.text("vocab").orElseThrow());
    Assumptions.assumeTrue(
        Files.exists(vocabulary), () -> "skipped: " + vocabulary.getFileName() + " is not there");
    try (Vocabulary loaded = Vocabulary.of(GgufFile.open(vocabulary))) {
      for (JsonValue c : ((Items) all.get("cases").orElseThrow()).values()) {
        Members one = (Members) c;
        String text = one.text("text").orElseThrow();
        int[] expected =
            ((Items) one.get("ids").orElseThrow())
                .values().stream()
                    .mapToInt(id -> ((JsonValue.Number) id).decimal().intValueExact())
                    .toArray();
        assertThat(loaded.encode(text, false, false)).as(text).isEqualTo(expected);
      }
    }
  }
}
