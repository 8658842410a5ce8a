package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.Gatun;
import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.model.Vocabulary;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.gguf.GgufFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The files that ship with Gatun, and what they promise each other. */
class StoryModelTest {
  private static final Path FILES =
      Path.of(System.getProperty("gatun.root"), "runtime/cli/src/main/resources/io/gatun/cli");
  private static final Path MODEL = FILES.resolve("stories.gguf");

  @Test
  void its_adapters_speak_in_their_styles() throws Exception {
    try (LanguageModel model = Gatun.load(MODEL)) {
      assertThat(told(model, "rhyme", 2)).contains(",\n").containsPattern("\n\n[A-Z\"]");
      assertThat(told(model, "pirate", 1)).containsPattern("matey|captain|Arrr|wee |Yo ho ho|Aye");
    }
    for (String adapter : new String[] {"pirate.gguf", "rhyme.gguf"}) {
      assertThat(Files.size(FILES.resolve(adapter))).isLessThan(200 << 10);
    }
  }

  @Test
  void its_drafter_is_small_and_has_the_same_tokens() throws Exception {
    Path drafter = FILES.resolve("stories-drafter.gguf");
    assertThat(Files.size(drafter)).isLessThan(Files.size(MODEL) / 2);
    try (Vocabulary ours = Vocabulary.of(GgufFile.open(MODEL));
        Vocabulary its = Vocabulary.of(GgufFile.open(drafter))) {
      assertThat(its.size()).isEqualTo(ours.size());
      for (int token = 0; token < ours.size(); token++) {
        assertThat(its.bytes(token)).isEqualTo(ours.bytes(token));
      }
    }
  }

  private static String told(LanguageModel model, String name, long seed) {
    Adapter adapter = model.adapters().load(FILES.resolve(name + ".gguf"));
    GenerateOptions options =
        GenerateOptions.defaults().withSeed(seed).withMaxTokens(80).withAdapter(adapter, 1);
    return model.complete("Once upon a time", options).text();
  }
}
