package io.gatun.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.model.gguf.GgufFile;
import io.gatun.tests.kit.SharedFiles;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class VocabularyLimitTest {
  @Test
  @Timeout(60)
  void loading_that_does_not_end_is_given_up() throws Exception {
    GgufFile file = GgufFile.open(SharedFiles.require("data/tokenizers/ggml-vocab-qwen2.gguf"));
    Set<Thread> before = vocabularyThreads();
    assertThatThrownBy(() -> Vocabulary.of(file, Duration.ofMillis(1)))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("qwen2.gguf")
        .hasMessageContaining("given up");
    Set<Thread> late = vocabularyThreads();
    late.removeAll(before);
    assertThat(late).as("still at it").hasSize(1);
    late.iterator().next().join(); // it comes back, frees what it has read, and ends
  }

  private static Set<Thread> vocabularyThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(t -> t.getName().equals("gatun-vocabulary"))
        .collect(Collectors.toCollection(HashSet::new));
  }
}
