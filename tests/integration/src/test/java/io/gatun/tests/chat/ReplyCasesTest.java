package io.gatun.tests.chat;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyCall;
import io.gatun.model.chat.reply.ReplyEvent;
import io.gatun.model.chat.reply.ReplyParser;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What models write is taken apart as llama.cpp does, however it is cut. */
class ReplyCasesTest {
  private static final int SPLITS = 8;

  /** What Gatun does otherwise, by the line of llama.cpp's test, and why. */
  private static final Map<Integer, String> OTHERWISE =
      Map.of(
          2638, "a fence around JSON is content; where a schema steers the model, none can come",
          3973, "white space behind the end of reasoning is not a part of it");

  @TestFactory
  Stream<DynamicTest> replies_are_taken_apart_as_llama_cpp_does() {
    return cases((c, parsers) -> {
      ReplyParser parser = parsers.get();
      Told told = new Told();
      told.add(parser.accept(c.text()));
      told.add(parser.finish());
      check(c, parser.reply());
      told.check(parser.reply());
    });
  }

  @TestFactory
  Stream<DynamicTest> replies_are_the_same_character_by_character() {
    return cases((c, parsers) -> {
      ReplyParser parser = parsers.get();
      Told told = new Told();
      for (int i = 0; i < c.text().length(); i++) {
        told.add(parser.accept(c.text().substring(i, i + 1)));
      }
      told.add(parser.finish());
      check(c, parser.reply());
      told.check(parser.reply());
    });
  }

  @TestFactory
  Stream<DynamicTest> replies_are_the_same_however_they_are_cut() {
    return cases((c, parsers) -> {
      for (int seed = 0; seed < SPLITS; seed++) {
        Random random = new Random(seed);
        ReplyParser parser = parsers.get();
        int at = 0;
        while (at < c.text().length()) {
          int end = Math.min(c.text().length(), at + 1 + random.nextInt(12));
          parser.accept(c.text().substring(at, end));
          at = end;
        }
        parser.finish();
        check(c, parser.reply());
      }
    });
  }

  private interface Check {
    void of(ReplyCase c, Supplier<ReplyParser> parsers);
  }

  private static Stream<DynamicTest> cases(Check check) {
    return ReplyCase.list().stream()
        .filter(c -> !OTHERWISE.containsKey(c.line()))
        .map(c -> {
          String name = "%s %d".formatted(c.template(), c.line());
          return DynamicTest.dynamicTest(name, () -> check.of(c, c.parsers()));
        });
  }

  private static void check(ReplyCase c, Reply reply) {
    assertThat(reply.content()).isEqualTo(c.content());
    assertThat(reply.reasoning()).isEqualTo(c.reasoning());
    List<ReplyCall> calls = c.partial() ? reply.calls() : reply.goodCalls();
    assertThat(calls).as("%s", reply).hasSameSizeAs(c.calls());
    for (int i = 0; i < calls.size(); i++) {
      JsonValue expected = c.calls().get(i);
      String arguments = Cases.text(expected, "arguments");
      assertThat(calls.get(i).name()).isEqualTo(Cases.text(expected, "name"));
      assertThat(calls.get(i).id()).isEqualTo(Cases.text(expected, "id"));
      if (c.partial()) {
        assertThat(calls.get(i).arguments().strip()).isEqualTo(arguments.strip());
      } else {
        assertThat(calls.get(i).value()).isEqualTo(JsonReader.read(arguments));
      }
    }
  }

  /** What was told while a reply came. */
  private static final class Told {
    private final StringBuilder content = new StringBuilder();
    private final StringBuilder reasoning = new StringBuilder();
    private final List<StringBuilder> arguments = new ArrayList<>();
    private final List<String> names = new ArrayList<>();
    private final List<ReplyCall> calls = new ArrayList<>();

    void add(List<ReplyEvent> events) {
      events.forEach(this::add);
    }

    private void add(ReplyEvent event) {
      switch (event) {
        case ReplyEvent.Content(String text) -> content.append(text);
        case ReplyEvent.Reasoning(String text) -> reasoning.append(text);
        case ReplyEvent.CallBegun(int index, String name) -> {
          assertThat(index).isEqualTo(names.size());
          names.add(name);
          arguments.add(new StringBuilder());
        }
        case ReplyEvent.CallArguments(int index, String text) -> {
          assertThat(index).isEqualTo(names.size() - 1);
          arguments.get(index).append(text);
        }
        case ReplyEvent.CallEnded(int index, ReplyCall call) -> {
          assertThat(index).isEqualTo(calls.size());
          calls.add(call);
        }
      }
    }

    /** Told in pieces, it is what the reply says in the end: nothing was taken back. */
    void check(Reply reply) {
      assertThat(reply.content()).endsWith(content);
      assertThat(reply.reasoning()).endsWith(reasoning);
      assertThat(calls).isEqualTo(reply.calls());
      for (int i = 0; i < calls.size(); i++) {
        assertThat(names.get(i)).isEqualTo(calls.get(i).name());
        assertThat(arguments.get(i).toString()).isEqualTo(calls.get(i).arguments());
      }
    }
  }
}
