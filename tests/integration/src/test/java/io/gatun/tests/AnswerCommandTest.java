package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.tests.kit.ModelCopy;
import io.gatun.tests.kit.SharedFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Reasoning and tool calls as the commands print them. A grammar lets the model write them. */
@Timeout(120)
class AnswerCommandTest {
  private static final String TEMPLATE =
      """
      {% if tools %}Tools: <tool_call>{{ tools | tojson }}
      {% endif %}{% for m in messages %}{{ m.role }}: {{ m.content }}{% for c in m.tool_calls %}\
      <tool_call>{{ c.function | tojson }}</tool_call>{% endfor %}
      {% endfor %}assistant: {% if enable_thinking is false %}(at once){% endif %}\
      """;
  private static final String TOOLS =
      """
      [{"name": "weather", "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}]
      """;

  /** A call where there is a question alone, an answer where a tool has answered. */
  private static final String GRAMMAR =
      """
      root ::= "<think>I should look.</think>" "One moment. <tool_call>" call "</tool_call>"
      call ::= "{\\"name\\": \\"weather\\", \\"arguments\\": {\\"city\\": \\"Rome\\"}}"
      """;

  @TempDir Path folder;
  private String model = "";
  private String tools = "";
  private String grammar = "";

  @BeforeEach
  void prepare() throws Exception {
    Path file = folder.resolve("chat.gguf");
    model =
        ModelCopy.with(SharedFiles.stories(), file, "tokenizer.chat_template", TEMPLATE).toString();
    tools = Files.writeString(folder.resolve("tools.json"), TOOLS).toString();
    grammar = Files.writeString(folder.resolve("call.gbnf"), GRAMMAR).toString();
  }

  @Test
  void run_prints_the_answer_and_its_calls() throws Exception {
    CommandLineTest.Result hidden = run("--tools", tools, "--variable", "enable_thinking=false");
    assertThat(hidden.err()).isEmpty();
    assertThat(hidden.out()).isEqualTo("One moment.\n→ weather {\"city\": \"Rome\"}\n");
    assertThat(run("--reasoning", "show").out())
        .startsWith("I should look.\n\nOne moment. <tool_call>{\"name\"");
  }

  @Test
  void chat_asks_for_what_a_tool_gave() throws Exception {
    CommandLineTest.Result result =
        CommandLineTest.gatun(
            "Weather?\nsunny\n", "chat", model, "--tools", tools, "--grammar", grammar, "--greedy");
    assertThat(result.code()).as(result.err()).isZero();
    String out = result.out().replace("\r", "");
    assertThat(out)
        .contains("I should look.\n\nOne moment.\n→ weather {\"city\": \"Rome\"}\n")
        .contains("weather gave> ");
    assertThat(out.split("→ weather", -1)).hasSize(3); // the call, and the answer to its result
  }

  @Test
  void wrong_options_say_what_is_wrong() throws Exception {
    assertThat(run("--variable", "enable_thinking=no").err()).contains("must be JSON");
    String empty = Files.writeString(folder.resolve("empty.json"), "[{}]").toString();
    assertThat(run("--tools", empty).err()).contains("empty.json").contains("\"name\"");
  }

  private CommandLineTest.Result run(String... more) throws Exception {
    String[] all = new String[9 + more.length];
    System.arraycopy(
        new String[] {
          "run", model, "--chat", "-p", "Weather?", "--grammar", grammar, "--greedy", "-n256"
        },
        0,
        all,
        0,
        9);
    System.arraycopy(more, 0, all, 9, more.length);
    return CommandLineTest.gatun("", all);
  }
}
