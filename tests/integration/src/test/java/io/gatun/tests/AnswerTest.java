package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.Answer;
import io.gatun.AnswerListener;
import io.gatun.AnswerStream;
import io.gatun.ChatSession;
import io.gatun.Gatun;
import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.grammar.Grammar;
import io.gatun.model.LoadOptions;
import io.gatun.model.TextDecoder;
import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.ChatMessage.Role;
import io.gatun.model.chat.Conversation;
import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.chat.reply.ReplyCall;
import io.gatun.model.chat.reply.ReplyEvent;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue.Members;
import io.gatun.tests.kit.ModelCopy;
import io.gatun.tests.kit.SharedFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Answers come as reasoning, text and tool calls. A grammar lets the model write just these. */
class AnswerTest {
  private static final String TEMPLATE =
      """
      {% if tools %}<tool_call>{{ tools | tojson }}{% endif %}\
      {% for m in messages %}[{{ m.role }}]{{ m.reasoning_content }} {{ m.content }}\
      {% for c in m.tool_calls %}<tool_call>{{ c.id }} {{ c.function | tojson }}{% endfor %}\
      {% endfor %}[assistant]\
      """;
  private static final String CALL =
      "<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}</tool_call>";
  private static final String WITH_CALLS = "<think>Hm.</think>I look. " + CALL + CALL;
  private static final ToolDefinition TOOL =
      new ToolDefinition(
          "weather",
          "tells it",
          (Members)
              JsonReader.read(
                  "{\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\"}}}"));
  private static final Conversation ASKED =
      Conversation.of(List.of(ChatMessage.user("Weather?"))).withTools(List.of(TOOL));

  @TempDir Path folder;
  private LanguageModel model;

  @BeforeEach
  void load() throws Exception {
    Path file = folder.resolve("chat.gguf");
    var _ = ModelCopy.with(SharedFiles.stories(), file, "tokenizer.chat_template", TEMPLATE);
    model =
        Gatun.load(file, LoadOptions.defaults(), EngineOptions.defaults().withContextTokens(2048));
  }

  @AfterEach
  void close() {
    if (model != null) {
      model.close();
    }
  }

  @Test
  void an_answer_is_text_reasoning_and_calls() {
    try (AnswerStream stream = model.answer(ASKED, writing(WITH_CALLS))) {
      Answer answer = stream.complete();
      assertThat(answer.text()).isEqualTo("I look.");
      assertThat(answer.reply().reasoning()).isEqualTo("Hm.");
      assertThat(answer.reply().calls())
          .extracting(ReplyCall::id)
          .containsExactly("call00000", "call00001");
      assertThat(answer.message().toolCalls()).hasSize(2);
    }
  }

  @Test
  void iterating_gives_the_text_alone_and_events_give_all() {
    try (AnswerStream stream = model.answer(ASKED, writing(WITH_CALLS))) {
      assertThat(String.join("", stream)).isEqualTo("I look.");
    }
    try (AnswerStream stream = model.answer(ASKED, writing(WITH_CALLS))) {
      List<ReplyEvent> events = new ArrayList<>();
      for (Optional<ReplyEvent> e = stream.next(); e.isPresent(); e = stream.next()) {
        events.add(e.get());
      }
      assertThat(events.getFirst()).isInstanceOf(ReplyEvent.Reasoning.class);
      assertThat(events)
          .filteredOn(e -> e instanceof ReplyEvent.CallBegun)
          .containsExactly(
              new ReplyEvent.CallBegun(0, "weather"), new ReplyEvent.CallBegun(1, "weather"));
      ReplyEvent.CallEnded last = (ReplyEvent.CallEnded) events.getLast();
      assertThat(last.call().id()).isEqualTo("call00001");
    }
  }

  @Test
  void a_listener_hears_of_everything_in_order() throws Exception {
    CompletableFuture<String> heard = new CompletableFuture<>();
    AnswerListener listener =
        new AnswerListener() {
          private final StringBuilder all = new StringBuilder();

          @Override
          public void onText(String piece) {
            all.append(piece);
          }

          @Override
          public void onReasoning(String piece) {
            all.append(piece.toUpperCase(Locale.ROOT));
          }

          @Override
          public void onToolCall(ReplyCall call) {
            all.append("|").append(call.arguments());
          }

          @Override
          public void onComplete(Answer answer) {
            heard.complete(all + "|" + answer.text());
          }

          @Override
          public void onError(Throwable failure) {
            heard.completeExceptionally(failure);
          }
        };
    try (AutoCloseable _ = model.answer(ASKED, writing(WITH_CALLS), listener)) {
      assertThat(heard.get(60, TimeUnit.SECONDS))
          .isEqualTo("HM.I look.|{\"city\": \"Rome\"}|{\"city\": \"Rome\"}|I look.");
    }
  }

  @Test
  void a_conversation_keeps_calls_and_goes_on_with_their_results() {
    try (ChatSession chat = model.chat().tools(List.of(TOOL)).options(writing(WITH_CALLS)).open()) {
      var _ = chat.send("Weather?").complete();
      ChatMessage said = chat.messages().getLast();
      assertThat(said.reasoning()).isEqualTo("Hm.");
      assertThat(said.toolCalls()).hasSize(2);
      List<ChatMessage> results =
          said.toolCalls().stream()
              .map(call -> ChatMessage.tool(call.id(), call.name(), "sunny"))
              .toList();
      try (AnswerStream answer = chat.sendResults(results)) {
        assertThat(answer.complete().reply().calls().getFirst().id()).isEqualTo("call00002");
        assertThat(answer.usage().cachedTokens()).isGreaterThan(100);
      }
      assertThat(chat.messages())
          .extracting(ChatMessage::role)
          .containsExactly(Role.USER, Role.ASSISTANT, Role.TOOL, Role.TOOL, Role.ASSISTANT);
      assertThatThrownBy(() -> chat.sendResults(List.of(ChatMessage.user("x"))))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void an_answer_that_was_stopped_keeps_what_was_read() {
    try (ChatSession chat = model.chat().options(writing("<think>" + "Hm. ".repeat(50))).open()) {
      try (AnswerStream answer = chat.send("Weather?")) {
        assertThat(answer.next()).containsInstanceOf(ReplyEvent.Reasoning.class);
      }
      assertThat(chat.messages().getLast().reasoning()).isNotEmpty();
      assertThat(chat.messages().getLast().content()).isEmpty();
    }
  }

  @Test
  void tokens_without_text_appear_where_they_mark_something() {
    int begin = model.model().vocabulary().beginToken().orElseThrow();
    String name = model.model().vocabulary().show(begin);
    assertThat(new TextDecoder(model.model().vocabulary()).accept(begin)).isEmpty();
    assertThat(new TextDecoder(model.model().vocabulary(), Set.of(begin)).accept(begin))
        .isEqualTo(name);
  }

  private static GenerateOptions writing(String text) {
    return GenerateOptions.greedy().withGrammar(Grammar.choices(List.of(text)));
  }
}
