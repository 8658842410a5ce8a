package io.gatun.tests.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.adapters.training.BpeTrainer;
import io.gatun.adapters.training.NewModel;
import io.gatun.model.LoadOptions;
import io.gatun.model.Model;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A vocabulary learned from text, in a model that loads. */
class NewModelTest {
  private static final String TEXT =
      "The cat sat on the mat. The dog sat on the log. It's a cat's life, and that's that!\n\nÄpfel 123.";

  @TempDir Path folder;

  @Test
  void frequent_pairs_become_tokens_first() {
    BpeTrainer.Bpe bpe = BpeTrainer.learn("aaab aaab aaab zz", 258);
    assertThat(bpe.tokens()).hasSize(258).startsWith("Ā").endsWith("aa", "ab");
    assertThat(bpe.merges()).containsExactly("a a", "a b");
    assertThatThrownBy(() -> BpeTrainer.learn("ab", 300)).hasMessageContaining("300 tokens");
  }

  @Test
  void any_text_comes_back_from_tokens_of_the_learned_vocabulary() throws Exception {
    BpeTrainer.Bpe bpe = BpeTrainer.learn(TEXT.repeat(3), 280);
    Path file = folder.resolve("new.gguf");
    new NewModel(32, 2, 4, 2, 64, 128).write(file, "new", bpe, 1);
    try (Model model = Model.load(file, LoadOptions.defaults())) {
      assertThat(model.vocabularySize()).isEqualTo(281);
      for (String text : List.of(TEXT, "unseen: 你好 \u0007 🎉", " two  spaces ")) {
        int[] tokens = model.vocabulary().encode(text, false, false);
        assertThat(model.vocabulary().decode(tokens)).isEqualTo(text);
      }
      int[] known = model.vocabulary().encode("The cat sat", false, false);
      assertThat(known.length).isLessThan(11);
      int[] begun = model.vocabulary().encode("x", true, false);
      assertThat(begun[0]).isEqualTo(280);
    }
  }

  @Test
  void lengths_that_do_not_go_together_are_refused() {
    assertThatThrownBy(() -> new NewModel(30, 2, 4, 2, 64, 128))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("30");
  }
}
