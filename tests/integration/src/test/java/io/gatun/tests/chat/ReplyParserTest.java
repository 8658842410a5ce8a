package io.gatun.tests.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyCall;
import io.gatun.model.chat.reply.ReplyEvent;
import io.gatun.model.chat.reply.ReplyParser;
import io.gatun.model.chat.reply.ReplySettings;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue.Members;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is a call, what is none, and what is told when. */
class ReplyParserTest {
  private static final String HERMES = "<tool_call>";
  private static final String LLAMA = "<|start_header_id|>";
  private static final String CODER = "<function= <parameter=";
  private static final String HARMONY = "<|channel|><|message|>";

  private static final List<ToolDefinition> TOOLS =
      List.of(tool("weather", "city", "string"), tool("python", "code", "string"));

  @Test
  void a_call_is_told_while_it_comes() {
    ReplyParser parser = parser(HERMES);
    assertThat(parser.accept("One moment. <tool"))
        .containsExactly(new ReplyEvent.Content("One moment."));
    assertThat(parser.accept("_call>\n{\"name\": \"wea")).isEmpty();
    assertThat(parser.accept("ther\", \"arguments\": {\"city\": \"Ro"))
        .containsExactly(
            new ReplyEvent.CallBegun(0, "weather"),
            new ReplyEvent.CallArguments(0, "{\"city\": \"Ro"));
    List<ReplyEvent> end = parser.accept("me\"}}</tool_call>");
    assertThat(end.getFirst()).isEqualTo(new ReplyEvent.CallArguments(0, "me\"}"));
    assertThat(end.getLast()).isInstanceOf(ReplyEvent.CallEnded.class);
    ChatMessage message = finish(parser).message();
    assertThat(message.content()).isEqualTo("One moment.");
    assertThat(message.toolCalls().getFirst().arguments())
        .isEqualTo(members("{\"city\": \"Rome\"}"));
  }

  @Test
  void what_begins_like_a_marker_and_is_none_stays() {
    ReplyParser parser = parser(HERMES);
    assertThat(parser.accept("a < b, <to")).containsExactly(new ReplyEvent.Content("a < b,"));
    assertThat(parser.accept("p>")).containsExactly(new ReplyEvent.Content(" <top>"));
    assertThat(parse(HERMES, "<tool_call> is a tag").content()).isEqualTo("<tool_call> is a tag");
    assertThat(parse(HERMES, "<tool_call>{\"a\": 1}</tool_call>").content())
        .isEqualTo("<tool_call>{\"a\": 1}");
    assertThat(parse(HERMES, "It ends with <tool_c").content()).isEqualTo("It ends with <tool_c");
  }

  @Test
  void without_tools_nothing_is_a_call() {
    String text = "<tool_call>\n{\"name\": \"weather\", \"arguments\": {}}\n</tool_call>";
    ReplyParser parser = ReplyParser.of(HERMES, "", ReplySettings.of(List.of()));
    parser.accept(text);
    assertThat(finish(parser)).isEqualTo(new Reply(text, "", List.of()));
  }

  @Test
  void wrong_arguments_are_told_and_not_lost() {
    Reply reply =
        parse(
            HERMES,
            "<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\" Rome}}</tool_call>ok");
    assertThat(reply.content()).isEqualTo("ok");
    ReplyCall call = reply.calls().getFirst();
    assertThat(call.arguments()).isEqualTo("{\"city\" Rome}");
    assertThat(call.problem().orElseThrow()).contains("not JSON").contains("expected ':'");
    assertThat(reply.message().toolCalls()).isEmpty();
    assertThat(reply.message().content()).isEqualTo("ok\n\nweather{\"city\" Rome}");
  }

  @Test
  void a_call_that_the_end_cuts_off_says_so() {
    ReplyCall call =
        parse(HERMES, "<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\": \"R")
            .calls()
            .getFirst();
    assertThat(call.arguments()).isEqualTo("{\"city\": \"R");
    assertThat(call.problem().orElseThrow()).contains("ended");
  }

  /** Small slips that models make often, where it is clear what is meant. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}",
        "[{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}]",
        "{\"arguments\": {\"city\": \"Rome\"}, \"name\": \"weather\"}",
        "{\"name\": \"weather\", \"arguments\": \"{\\\"city\\\": \\\"Rome\\\"}\"}",
        "{\"type\": \"function\", \"function\": {\"name\": \"weather\", \"parameters\": {\"city\":"
            + " \"Rome\"}}}",
      })
  void slips_in_calls_are_forgiven(String call) {
    assertThat(parse(HERMES, "<tool_call>" + call + "</tool_call>").goodCalls())
        .singleElement()
        .satisfies(c -> assertThat(c.value()).isEqualTo(members("{\"city\": \"Rome\"}")));
  }

  @Test
  void a_line_break_in_a_string_is_one() {
    Reply reply =
        parse(
            HERMES,
            "<tool_call>{\"name\":\"python\",\"arguments\":{\"code\":\"a\nb\"}}</tool_call>");
    assertThat(reply.goodCalls().getFirst().value()).isEqualTo(members("{\"code\": \"a\\nb\"}"));
  }

  @Test
  void plain_json_is_a_call_of_a_known_tool_only() {
    String call = "{\"name\": \"weather\", \"parameters\": {\"city\": \"Rome\"}}";
    assertThat(parse(LLAMA, call + "; " + call).goodCalls()).hasSize(2);
    for (String other :
        List.of(
            "{\"name\": \"Bob\", \"parameters\": {}}",
            "{\"answer\": 42}",
            "[1, 2]",
            "{ not json",
            "So: " + call)) {
      assertThat(parse(LLAMA, other)).isEqualTo(new Reply(other, "", List.of()));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      value = {
        "<|python_tag|>{\"name\": \"weather\", \"parameters\": {\"city\": \"Rome\"}} ~ {\"city\":"
            + " \"Rome\"}",
        "<|python_tag|>weather.call(city=\"Rome\") ~ {\"city\": \"Rome\"}",
        "<|python_tag|>print('x') ~ {\"code\": \"print('x')\"}",
        "[weather(city='Rome', days=[1, None, {'a': True}])] ~ {\"city\": \"Rome\", \"days\": [1,"
            + " null, {\"a\": true}]}",
      })
  void llama_has_several_ways(String text, String arguments) {
    assertThat(parse(LLAMA, text).goodCalls())
        .singleElement()
        .satisfies(c -> assertThat(c.value()).isEqualTo(members(arguments)));
  }

  /** Formats of templates that show no calls. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '^',
      value = {
        "CohereForAI-c4ai-command-r-plus-tool_use ~ command r ~ Action:¶"
            + "```json¶"
            + "[{\"tool_name\": \"weather\", \"parameters\": {\"city\": \"Rome\"}}¶"
            + "]```",
        "fireworks-ai-llama-3-firefunction-v2 ~ firefunction ~ functools[{\"name\": \"weather\","
            + " \"arguments\": {\"city\": \"Rome\"}}]",
        "ibm-granite-granite-3.3-2B-Instruct ~ granite ~ <|tool_call|>[{\"name\": \"weather\","
            + " \"arguments\": {\"city\": \"Rome\"}}]",
        "LFM2-8B-A1B ~ lfm 2 ~ <|tool_call_start|>[weather(city=\"Rome\")]<|tool_call_end|>",
        "HuggingFaceTB-SmolLM3-3B ~ any ~ <tool_call>{\"name\": \"weather\", \"arguments\":"
            + " {\"city\": \"Rome\"}}</tool_call>",
        "google-gemma-2-2b-it ~ any ~ ```json¶"
            + "{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}¶"
            + "```",
        "microsoft-Phi-3.5-mini-instruct ~ any ~ {\"name\": \"weather\", \"arguments\": {\"city\":"
            + " \"Rome\"}}",
        "deepseek-ai-DeepSeek-R1-Distill-Llama-8B ~ deepseek ~"
            + " <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>weather¶"
            + "```json¶"
            + "{\"city\": \"Rome\"}¶"
            + "```<｜tool▁call▁end｜>",
      })
  void models_whose_templates_show_no_calls_write_some_too(
      String template, String format, String text) {
    ReplyParser parser = parser(Cases.template(template + ".jinja"));
    assertThat(parser.format()).isEqualTo(format);
    parser.accept(text.replace('¶', '\n'));
    Reply reply = finish(parser);
    assertThat(reply.content()).isEmpty();
    assertThat(reply.goodCalls())
        .singleElement()
        .satisfies(c -> assertThat(c.value()).isEqualTo(members("{\"city\": \"Rome\"}")));
  }

  @Test
  void strings_between_tags_come_as_they_are_written() {
    ReplyParser parser = parser(CODER);
    assertThat(parser.accept("<tool_call>\n<function=python>\n<parameter=code>\nprint(\"a\")\n"))
        .containsExactly(
            new ReplyEvent.CallBegun(0, "python"),
            new ReplyEvent.CallArguments(0, "{\"code\": \"print(\\\"a\\\")"));
    parser.accept("\n</parameter>\n</function>\n</tool_call>");
    assertThat(finish(parser).goodCalls().getFirst().value())
        .isEqualTo(members("{\"code\": \"print(\\\"a\\\")\\n\"}"));
  }

  @Test
  void reasoning_in_tags_is_reasoning_only_where_it_begins() {
    assertThat(parse(HERMES, "<think>\nHm.\n</think>\n\nYes."))
        .isEqualTo(new Reply("Yes.", "Hm.", List.of()));
    String text = "Models write <think>Hm.</think> first.";
    assertThat(parse(HERMES, text)).isEqualTo(new Reply(text, "", List.of()));
  }

  @Test
  void a_prompt_that_begins_to_think_goes_on_so() {
    ReplyParser parser =
        ReplyParser.of(HERMES, "<|im_start|>assistant\n<think>\n", ReplySettings.of(TOOLS));
    assertThat(parser.accept("Hm.")).containsExactly(new ReplyEvent.Reasoning("Hm."));
    parser.accept("</think>Yes.");
    assertThat(finish(parser)).isEqualTo(new Reply("Yes.", "Hm.", List.of()));
  }

  @Test
  void content_and_reasoning_around_calls_are_set_apart() {
    String call = "<tool_call>{\"name\": \"weather\", \"arguments\": {}}</tool_call>";
    Reply reply = parse(HERMES, "First. " + call + "\n" + call + "\nThen.\n");
    assertThat(reply.content()).isEqualTo("First.\n\nThen.\n");
    assertThat(reply.calls()).hasSize(2);
  }

  @Test
  void a_reply_without_channels_is_content_in_harmony_too() {
    assertThat(parse(HARMONY, "Hello.")).isEqualTo(new Reply("Hello.", "", List.of()));
    assertThat(parse(HARMONY, "<|channel|>final<|message|>A<|end|>B").content()).isEqualTo("AB");
    assertThat(parse(HARMONY, "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant"))
        .isEqualTo(new Reply("", "Hm", List.of()));
  }

  @Test
  void tokens_that_mark_something_are_known() {
    assertThat(parser(HARMONY).marks("<|channel|>")).isTrue();
    assertThat(parser(HARMONY).marks("<|fim_middle|>")).isFalse();
    assertThat(parser("[TOOL_CALLS]").marks("[ARGS]")).isTrue();
    assertThat(parser(HERMES).marks("")).isFalse();
  }

  @Test
  void after_the_end_nothing_is_taken() {
    ReplyParser parser = parser(HERMES);
    finish(parser);
    assertThat(parser.finish()).isEmpty();
    assertThatThrownBy(() -> parser.accept("x")).isInstanceOf(IllegalStateException.class);
  }

  private static Reply parse(String template, String text) {
    ReplyParser parser = parser(template);
    parser.accept(text);
    return finish(parser);
  }

  private static ReplyParser parser(String template) {
    return ReplyParser.of(template, "", ReplySettings.of(TOOLS));
  }

  private static Reply finish(ReplyParser parser) {
    parser.finish();
    return parser.reply();
  }

  private static ToolDefinition tool(String name, String argument, String type) {
    return new ToolDefinition(
        name,
        "",
        members(
            "{\"type\": \"object\", \"properties\": {\"%s\": {\"type\": \"%s\"}}}"
                .formatted(argument, type)));
  }

  private static Members members(String json) {
    return (Members) JsonReader.read(json);
  }
}
