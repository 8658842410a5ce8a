package io.gatun.tests.chat;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyEvent;
import io.gatun.model.chat.reply.ReplyParser;
import io.gatun.model.chat.reply.ReplySettings;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue.Members;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Whatever a model writes: no exception, no end of waiting, and one result however it is cut. */
class ReplyFuzzTest {
  private static final int TEXTS = 40;
  private static final int LONG = 40_000;

  private static final List<ToolDefinition> TOOLS =
      List.of(
          new ToolDefinition(
              "f",
              "",
              (Members)
                  JsonReader.read(
                      """
                      {"properties": {"s": {"type": "string"}, "n": {"type": "integer"},
                       "o": {"type": "object", "properties": {"o": {"type": "object"}}}}}
                      """)));

  /** What mostly stands in replies, whole and torn. */
  private static final List<String> FRAGMENTS =
      List.of(
          "{",
          "}",
          "[",
          "]",
          "(",
          ")",
          "\"",
          "'",
          ":",
          ",",
          "=",
          "\\",
          "<",
          ">",
          "\n",
          " ",
          "f",
          "s",
          "n",
          "o",
          "1",
          "-2.5e3",
          "true",
          "None",
          "word",
          "ü",
          "😀",
          "{\"name\": \"f\", ",
          "\"arguments\": {\"s\": \"x\"}}",
          "\"parameters\": {",
          "call:f{",
          "f(s=",
          "```json",
          "```",
          ">>>f\n",
          "all\n",
          " to=functions.f",
          "function",
          "<think>",
          "</think>");

  @TestFactory
  Stream<DynamicTest> any_text_is_taken_apart_in_one_way() {
    return templates((name, source) -> {
      List<String> fragments = fragments(source);
      for (int seed = 0; seed < TEXTS; seed++) {
        Random random = new Random(seed);
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(40); i >= 0; i--) {
          text.append(fragments.get(random.nextInt(fragments.size())));
        }
        Reply whole = read(source, text.toString(), text.length());
        assertThat(read(source, text.toString(), 1)).as("%s", text).isEqualTo(whole);
        assertThat(read(source, text.toString(), 7)).as("%s", text).isEqualTo(whole);
      }
    });
  }

  /** Where time grew with the square of the length, this would take hours. */
  @TestFactory
  Stream<DynamicTest> long_texts_take_no_longer_than_they_are() {
    return templates((name, source) -> {
      List<String> marks =
          fragments(source).stream().filter(f -> f.length() > 5).distinct().limit(12).toList();
      for (String mark : marks) {
        for (String again : List.of(mark, mark + " ", mark + "{", "[", " ", "<")) {
          String text = mark + again.repeat(LONG / 12 / again.length());
          read(source, text, 3);
        }
      }
    });
  }

  private interface Check {
    void of(String name, String source);
  }

  /** One template of each format. */
  private static Stream<DynamicTest> templates(Check check) {
    List<String> formats = new ArrayList<>();
    List<DynamicTest> tests = new ArrayList<>();
    for (Path file : Cases.files("jinja", ".jinja")) {
      String source = Cases.text(file);
      String format = ReplyParser.of(source, "", ReplySettings.of(TOOLS)).format();
      if (!formats.contains(format)) {
        formats.add(format);
        tests.add(DynamicTest.dynamicTest(format, () -> check.of(format, source)));
      }
    }
    return tests.stream();
  }

  /** The texts in a template that look like marks of its format, and some others. */
  private static List<String> fragments(String source) {
    List<String> all = new ArrayList<>(FRAGMENTS);
    ReplyParser parser = ReplyParser.of(source, "", ReplySettings.of(TOOLS));
    parser
        .marks()
        .forEach(mark -> {
          all.add(mark);
          all.add(mark);
          all.add(mark.substring(0, mark.length() / 2));
        });
    return all;
  }

  private static Reply read(String source, String text, int step) {
    ReplyParser parser = ReplyParser.of(source, "", ReplySettings.of(TOOLS));
    StringBuilder content = new StringBuilder();
    for (int at = 0; at < text.length(); at += step) {
      tell(parser.accept(text.substring(at, Math.min(text.length(), at + step))), content);
    }
    tell(parser.finish(), content);
    Reply reply = parser.reply();
    assertThat(content.toString()).isEqualTo(reply.content());
    return reply;
  }

  private static void tell(List<ReplyEvent> events, StringBuilder content) {
    events.forEach(e -> {
      if (e instanceof ReplyEvent.Content(String text)) {
        content.append(text);
      }
    });
  }
}
