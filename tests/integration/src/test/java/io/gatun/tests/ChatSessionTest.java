package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.AnswerStream;
import io.gatun.ChatSession;
import io.gatun.Gatun;
import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.engine.EngineOptions;
import io.gatun.model.LoadOptions;
import io.gatun.model.UnsupportedModelException;
import io.gatun.tensor.CapacityException;
import io.gatun.tests.kit.ModelCopy;
import io.gatun.tests.kit.SharedFiles;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatSessionTest {
  private static final String CHATML =
      """
      {% for message in messages %}<|im_start|>{{ message['role'] }}
      {{ message['content'] }}<|im_end|>
      {% endfor %}\
      """;
  private static final GenerateOptions SHORT = GenerateOptions.greedy().withMaxTokens(12);

  @TempDir Path folder;

  @Test
  void the_second_message_costs_only_itself() throws Exception {
    Path file =
        ModelCopy.with(
            SharedFiles.stories(), folder.resolve("chat.gguf"), "tokenizer.chat_template", CHATML);
    try (LanguageModel model = Gatun.load(file);
        ChatSession chat = model.chat().system("Be kind.").options(SHORT).open()) {
      String first;
      try (AnswerStream answer = chat.send("Hello")) {
        first = answer.complete().text();
        assertThat(answer.usage().cachedTokens()).isZero();
      }
      assertThat(first).isNotEmpty();
      try (AnswerStream answer = chat.send("And now?")) {
        var usage = answer.complete().usage();
        // Everything up to the answer is kept; its text may be tokenized in another way than it
        // came.
        assertThat(usage.cachedTokens()).isGreaterThan(30);
        assertThat(usage.promptTokens()).isGreaterThan(usage.cachedTokens());
      }
      chat.clear();
      try (AnswerStream answer = chat.send("Hello")) {
        assertThat(answer.complete().text()).isEqualTo(first);
      }
    }
  }

  @Test
  void an_answer_that_was_stopped_is_part_of_the_conversation() throws Exception {
    Path file =
        ModelCopy.with(
            SharedFiles.stories(), folder.resolve("chat.gguf"), "tokenizer.chat_template", CHATML);
    try (LanguageModel model = Gatun.load(file);
        ChatSession chat = model.chat().options(GenerateOptions.greedy()).open()) {
      try (AnswerStream answer = chat.send("Tell me a story")) {
        assertThat(answer.iterator().next()).isNotEmpty();
      }
      try (AnswerStream answer = chat.send("Go on")) {
        assertThat(answer.iterator().next()).isNotEmpty();
      }
    }
  }

  @Test
  void an_earlier_question_can_be_changed_and_its_answer_asked_for_again() throws Exception {
    Path file =
        ModelCopy.with(
            SharedFiles.stories(), folder.resolve("chat.gguf"), "tokenizer.chat_template", CHATML);
    try (LanguageModel model = Gatun.load(file);
        ChatSession chat = model.chat().system("Be kind.").options(SHORT).open()) {
      String first = chat.send("Hello").complete().text();
      var _ = chat.send("And now?").complete();
      assertThat(chat.messages()).hasSize(5);
      try (AnswerStream again = chat.edit(1, "Hello")) {
        assertThat(again.complete().text()).isEqualTo(first);
        assertThat(again.usage().cachedTokens()).isGreaterThan(10);
      }
      assertThat(chat.messages()).hasSize(3);
      assertThat(chat.regenerate().complete().text()).isEqualTo(first);
      assertThatThrownBy(() -> chat.edit(0, "x")).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void a_conversation_that_is_too_long_is_refused_or_forgets() throws Exception {
    Path file =
        ModelCopy.with(
            SharedFiles.stories(), folder.resolve("chat.gguf"), "tokenizer.chat_template", CHATML);
    EngineOptions small = EngineOptions.defaults().withContextTokens(256);
    try (LanguageModel model = Gatun.load(file, LoadOptions.defaults(), small);
        ChatSession strict = model.chat().system("Be kind.").options(SHORT).open();
        ChatSession forgetful =
            model
                .chat()
                .system("Be kind.")
                .options(SHORT)
                .overflow(ChatSession.Overflow.FORGET_OLDEST)
                .open()) {
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 20; i++) {
                  var _ = strict.send("Tell me more about it").complete();
                }
              })
          .isInstanceOf(CapacityException.class)
          .hasMessageContaining("--context");
      int kept = strict.messages().size();
      assertThat(kept).isGreaterThan(4).isOdd();
      for (int i = 0; i < 20; i++) {
        var _ = forgetful.send("Tell me more about it").complete();
      }
      assertThat(forgetful.messages()).hasSizeBetween(3, kept + 2);
      assertThat(forgetful.messages().getFirst().content()).isEqualTo("Be kind.");
    }
  }

  @ParameterizedTest
  @CsvSource({"150, 6, 250", "12, 20, 3000"})
  void a_conversation_that_shifts_goes_on(int answerTokens, int questions, int leastCached)
      throws Exception {
    Path file =
        ModelCopy.with(
            SharedFiles.stories(), folder.resolve("chat.gguf"), "tokenizer.chat_template", CHATML);
    EngineOptions small = EngineOptions.defaults().withContextTokens(256);
    try (LanguageModel model = Gatun.load(file, LoadOptions.defaults(), small);
        ChatSession chat =
            model
                .chat()
                .system("Be kind.")
                .options(GenerateOptions.greedy().withMaxTokens(answerTokens))
                .overflow(ChatSession.Overflow.SHIFT)
                .open()) {
      int forgotten = 0;
      int cached = 0;
      for (int i = 0; i < questions; i++) {
        try (AnswerStream answer = chat.send("Tell me more about it")) {
          assertThat(answer.complete().text()).isNotEmpty();
          assertThat(answer.usage().promptTokens()).isLessThan(256 + 80);
          forgotten += answer.usage().forgottenTokens();
          cached += answer.usage().cachedTokens();
        }
      }
      assertThat(chat.messages()).hasSize(1 + 2 * questions);
      assertThat(forgotten).isGreaterThan(400);
      assertThat(cached).isGreaterThan(leastCached);
      // Asked again, the whole conversation is read.
      try (AnswerStream again = chat.regenerate()) {
        assertThat(again.complete().usage().promptTokens()).isGreaterThan(600);
      }
      chat.clear();
      assertThat(chat.messages()).hasSize(1);
      try (AnswerStream answer = chat.send("Hello")) {
        assertThat(answer.complete().usage().promptTokens()).isLessThan(80);
      }
    }
  }

  @Test
  void a_model_without_a_template_says_so() {
    try (LanguageModel model = Gatun.load(SharedFiles.stories())) {
      assertThatThrownBy(() -> model.chat().open())
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("chat template");
    }
  }
}
