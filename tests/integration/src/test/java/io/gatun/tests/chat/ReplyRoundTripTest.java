package io.gatun.tests.chat;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.ChatTemplate;
import io.gatun.model.chat.Conversation;
import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.chat.reply.ReplyCall;
import io.gatun.model.chat.reply.ReplyParser;
import io.gatun.model.chat.reply.ReplySettings;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Members;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** A call that a template writes into a prompt is read back as the same call. */
class ReplyRoundTripTest {
  /** These show no calls, or want them otherwise than as messages with objects. */
  private static final Set<String> WITHOUT_CALLS =
      Set.of(
          "HuggingFaceTB-SmolLM3-3B",
          "LFM2.5-Instruct",
          "LFM2-8B-A1B",
          "google-gemma-2-2b-it",
          "llama-cpp-rwkv-world",
          "microsoft-Phi-3.5-mini-instruct",
          "deepseek-ai-DeepSeek-R1-Distill-Llama-8B",
          "ibm-granite-granite-3.3-2B-Instruct",
          "CohereForAI-c4ai-command-r-plus-tool_use",
          "fireworks-ai-llama-3-firefunction-v2",
          "meetkai-functionary-medium-v3.2");

  /** This one puts quotes around strings that have such in them. */
  private static final String SIMPLE_VALUES = "LFM2.5-8B-A1B";

  /** This one shows reasoning without the words that begin it in the prompt. */
  private static final String WITHOUT_BEGINNING = "Apriel-1.6-15b-Thinker-fixed";

  /** These look for reasoning under other names than most do. */
  private static final Set<String> NAMED_OTHERWISE =
      Set.of("openai-gpt-oss-120b", "LFM2.5-8B-A1B", "upstage-Solar-Open-100B");

  private static final String THOUGHT = "Hm, yes.";

  private static final ToolDefinition TOOL =
      new ToolDefinition(
          "weather.now",
          "tells it",
          members(
              """
              {"type": "object", "properties": {
                "city": {"type": "string"}, "days": {"type": "integer"}, "wind": {"type": "boolean"},
                "units": {"type": "object", "properties": {
                  "t": {"type": "string"}, "scale": {"type": "array", "items": {"type": "number"}}}}}}
              """));

  @TestFactory
  Stream<DynamicTest> calls_come_back_from_the_prompt_that_shows_them() {
    return templates()
        .map(t ->
            DynamicTest.dynamicTest(t, () -> roundTrip(t, "{\"city\": \"Rome\", \"days\": 3}")));
  }

  @TestFactory
  Stream<DynamicTest> so_do_difficult_arguments() {
    String arguments =
        """
        {"city": "N \\"Y\\" O'B\\nü 東京 {[<b>]} \\\\ 5", "days": -3, "wind": true,
         "units": {"t": "K", "scale": [1, 2.5]}}
        """;
    return templates()
        .filter(t -> !t.equals(SIMPLE_VALUES))
        .map(t -> DynamicTest.dynamicTest(t, () -> roundTrip(t, arguments)));
  }

  private static Stream<String> templates() {
    return Cases.files("jinja", ".jinja").stream()
        .map(Path::getFileName)
        .map(name -> name.toString().replace(".jinja", ""))
        .filter(name -> !WITHOUT_CALLS.contains(name));
  }

  private static void roundTrip(String name, String arguments) {
    String source = Cases.template(name + ".jinja");
    ChatTemplate template = new ChatTemplate(source, "", "", Clock.systemUTC());
    ChatMessage question = ChatMessage.user("Hey");
    ChatMessage call =
        ChatMessage.assistant("")
            .withReasoning(THOUGHT)
            .withToolCalls(
                List.of(new ChatMessage.ToolCall("call12345", TOOL.name(), members(arguments))));
    JsonValue yes = JsonValue.of(true);
    Conversation asked =
        Conversation.of(List.of(question))
            .withTools(List.of(TOOL))
            .withVariables(Map.of("enable_thinking", yes, "thinking", yes));
    String prompt = template.render(asked);
    String all =
        template.render(asked.withMessages(List.of(question, call)).withBeginAnswer(false));
    int same = same(prompt, all); // some prompts begin to think, which their calls do not show
    String written = all.substring(same);

    ReplyParser parser =
        ReplyParser.of(source, prompt.substring(0, same), ReplySettings.of(List.of(TOOL)));
    for (int i = 0; i < written.length(); i++) {
      parser.accept(written.substring(i, i + 1));
    }
    parser.finish();
    List<ReplyCall> calls = parser.reply().calls();
    assertThat(calls).as("%s of %s", parser.reply(), written).hasSize(1);
    assertThat(calls.getFirst().name()).isEqualTo(TOOL.name());
    assertThat(calls.getFirst().problem()).isEmpty();
    assertThat(calls.getFirst().value()).as(written).isEqualTo(members(arguments));
    assertThat(parser.reply().reasoning())
        .as(written)
        .isEqualTo(written.contains(THOUGHT) && !name.equals(WITHOUT_BEGINNING) ? THOUGHT : "");
    if (NAMED_OTHERWISE.contains(name)) {
      assertThat(written).contains(THOUGHT);
    }
  }

  /** How much of two texts is the same; up to a tag that one of them has and the other has not. */
  private static int same(String one, String other) {
    int same = 0;
    while (same < Math.min(one.length(), other.length())
        && one.charAt(same) == other.charAt(same)) {
      same++;
    }
    return same == one.length() ? same : Math.max(0, one.lastIndexOf('<', same));
  }

  private static Members members(String json) {
    return (Members) JsonReader.read(json);
  }
}
