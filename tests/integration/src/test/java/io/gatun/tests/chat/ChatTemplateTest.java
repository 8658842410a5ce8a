package io.gatun.tests.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.ChatTemplate;
import io.gatun.model.chat.Conversation;
import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Members;
import io.gatun.model.template.TemplateException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Conversations become the prompts that llama.cpp makes of them. */
class ChatTemplateTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-03-09T08:07:06Z"), ZoneOffset.UTC);

  /**
   * Templates that want what no conversation here has: a role of their own, or a list of tokens
   * that GGUF files have no place for.
   */
  private static final Set<String> OTHERWISE =
      Set.of(
          "ai-sage/GigaChat-20B-A3B-instruct",
          "ibm-granite/granite-3.x (tool call)",
          "ibm-granite/granite-4.0 (tool call)",
          "ibm-granite/granite-4.1 (tool call)");

  @TestFactory
  Stream<DynamicTest> prompts_are_llama_cpps_also_where_templates_know_no_system() {
    return Cases.files("renderings", ".json").stream()
        .map(file -> JsonReader.read(Cases.text(file)))
        .filter(c -> !OTHERWISE.contains(Cases.text(c, "name")))
        .map(c ->
            DynamicTest.dynamicTest(
                Cases.text(c, "name"),
                () -> {
                  ChatTemplate template =
                      new ChatTemplate(
                          Cases.text(c, "template"),
                          Cases.text(c, "bos"),
                          Cases.text(c, "eos"),
                          CLOCK);
                  Conversation conversation =
                      Conversation.of(messages(c))
                          .withBeginAnswer(Cases.flag(c, "add_generation_prompt"));
                  assertThat(template.render(conversation)).isEqualTo(Cases.text(c, "expected"));
                }));
  }

  /** Where the answer begins, as far as no message is left unfinished. */
  @TestFactory
  Stream<DynamicTest> prompts_end_where_the_answer_begins() {
    JsonValue all = JsonReader.read(Cases.text(Cases.file("generation-prompt-cases.json")));
    return Cases.list(all, "cases").stream()
        .filter(c -> Cases.flag(c, "add_generation_prompt"))
        .map(c ->
            DynamicTest.dynamicTest(
                Cases.text(c, "template") + " " + Cases.text(c, "variant"),
                () -> {
                  Path file = Cases.file("jinja/" + Cases.text(c, "template"));
                  ChatTemplate template = new ChatTemplate(Cases.text(file), "", "", CLOCK);
                  Map<String, JsonValue> thinking =
                      Map.of("enable_thinking", JsonValue.of(true)); // llama.cpp's default
                  String prompt =
                      template.render(Conversation.of(messages(c)).withVariables(thinking));
                  assertThat(prompt).endsWith(Cases.text(c, "expected_generation_prompt"));
                  messages(c).forEach(m -> assertThat(prompt).contains(m.content()));
                }));
  }

  @Test
  void tools_calls_and_answers_reach_the_prompt() {
    ChatTemplate qwen =
        new ChatTemplate(
            Cases.text(Cases.file("jinja/Qwen-Qwen2.5-7B-Instruct.jinja")), "", "", CLOCK);
    Members schema =
        (Members)
            JsonReader.read(
                "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}}}");
    ChatMessage call =
        ChatMessage.assistant("")
            .withToolCalls(
                List.of(
                    new ChatMessage.ToolCall(
                        "c1", "weather", new Members(Map.of("city", JsonValue.of("Rome"))))));
    String prompt =
        qwen.render(
            Conversation.of(
                    List.of(
                        ChatMessage.user("Weather?"),
                        call,
                        ChatMessage.tool("c1", "weather", "sunny")))
                .withTools(List.of(new ToolDefinition("weather", "tells it", schema))));
    assertThat(prompt)
        .contains("{\"type\": \"function\", \"function\": {\"name\": \"weather\"")
        .contains("<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}")
        .contains("<tool_response>\nsunny\n</tool_response>")
        .endsWith("<|im_start|>assistant\n");
  }

  @Test
  void a_template_that_refuses_says_why() {
    ChatTemplate strict = new ChatTemplate("{{ raise_exception('never') }}", "", "", CLOCK);
    assertThatThrownBy(() -> strict.render(Conversation.of(List.of(ChatMessage.user("x")))))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("never");
    assertThatThrownBy(() -> new ChatTemplate("{% if %}", "", "", CLOCK))
        .isInstanceOf(TemplateException.class);
    assertThatThrownBy(() -> ChatMessage.of("narrator", "x"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("narrator");
  }

  @Test
  void what_gpt_oss_said_and_thought_before_a_call_reaches_its_prompt() {
    ChatTemplate oss =
        new ChatTemplate(Cases.text(Cases.file("jinja/openai-gpt-oss-120b.jinja")), "", "", CLOCK);
    ChatMessage call =
        ChatMessage.assistant("One moment.")
            .withReasoning("I look.")
            .withToolCalls(List.of(new ChatMessage.ToolCall("c1", "weather", Members.EMPTY)));
    String prompt =
        oss.render(
            Conversation.of(
                List.of(
                    ChatMessage.user("Weather?"),
                    call,
                    ChatMessage.tool("c1", "weather", "sunny"))));
    assertThat(prompt)
        .contains("<|channel|>analysis<|message|>I look.\n\nOne moment.<|end|>")
        .contains("to=functions.weather");
  }

  @Test
  void tools_are_read_in_two_forms() {
    String inner =
        "{\"name\": \"f\", \"description\": \"d\", \"parameters\": {\"type\": \"object\"}}";
    ToolDefinition tool = ToolDefinition.read(JsonReader.read(inner));
    assertThat(tool.name()).isEqualTo("f");
    assertThat(
            ToolDefinition.read(
                JsonReader.read("{\"type\": \"function\", \"function\": " + inner + "}")))
        .isEqualTo(tool);
    assertThat(ToolDefinition.read(JsonReader.read("{\"name\": \"g\"}")).parameters())
        .isEqualTo(JsonReader.read("{\"type\": \"object\"}"));
    for (String wrong :
        List.of("[]", "{}", "{\"name\": \"\"}", "{\"name\": \"f\", \"parameters\": 1}")) {
      assertThatThrownBy(() -> ToolDefinition.read(JsonReader.read(wrong)))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  private static List<ChatMessage> messages(JsonValue c) {
    List<ChatMessage> messages = new ArrayList<>();
    for (JsonValue m : Cases.list(c, "messages")) {
      messages.add(ChatMessage.of(Cases.text(m, "role"), Cases.text(m, "content")));
    }
    return messages;
  }
}
