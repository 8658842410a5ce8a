package io.gatun.tests.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.model.template.Template;
import io.gatun.model.template.TemplateException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Templates against what Python's Jinja makes of them. */
class TemplateCasesTest {
  @TestFactory
  Stream<DynamicTest> a_template_renders_as_in_python() {
    return Cases.list(Cases.read("jinja-engine-cases.json"), "cases").stream()
        .map(c ->
            DynamicTest.dynamicTest(
                Cases.text(c, "section") + ": " + Cases.text(c, "name"),
                () ->
                    assertThat(Template.parse(Cases.text(c, "template")).render(variables(c)))
                        .isEqualTo(Cases.text(c, "expected"))));
  }

  /** Three cases change their list, and the file holds it as it was left, not as it was given. */
  private static Map<String, JsonValue> variables(JsonValue c) {
    return Cases.text(c, "name").startsWith("array.pop")
            || Cases.text(c, "name").equals("array.append()")
        ? Cases.map(JsonReader.read("{\"arr\": [\"a\", \"b\", \"c\"]}"))
        : Cases.map(Cases.get(c, "vars"));
  }

  @TestFactory
  Stream<DynamicTest> a_conversation_renders_as_in_python() {
    return Cases.files("renderings", ".json").stream()
        .map(file -> JsonReader.read(Cases.text(file)))
        .filter(c -> !Cases.flag(c, "needs_system_role_polyfill"))
        .filter(c -> Cases.get(c, "python_jinja2_error").equals(JsonValue.Null.NULL))
        .map(c ->
            DynamicTest.dynamicTest(
                Cases.text(c, "name"),
                () -> {
                  Map<String, JsonValue> variables = new LinkedHashMap<>();
                  variables.put("messages", Cases.get(c, "messages"));
                  variables.put("add_generation_prompt", Cases.get(c, "add_generation_prompt"));
                  variables.put("bos_token", Cases.get(c, "bos"));
                  variables.put("eos_token", Cases.get(c, "eos"));
                  assertThat(Template.parse(Cases.text(c, "template")).render(variables))
                      .isEqualTo(Cases.text(c, "python_jinja2_output"));
                }));
  }

  @Test
  void malformed_templates_are_refused_with_their_line() {
    for (JsonValue template : Cases.list(Cases.read("jinja-robustness.json"), "malformed")) {
      String source = ((JsonValue.Text) template).value();
      if (source.isEmpty() || source.equals("}}}}")) {
        assertThat(Template.parse(source).render(Map.of())).isEqualTo(source);
      } else {
        assertThatThrownBy(() -> Template.parse(source).render(Map.of()))
            .as(source)
            .isInstanceOf(TemplateException.class)
            .hasMessageContaining("line 1");
      }
    }
  }

  @Test
  void odd_templates_render_or_fail_with_a_typed_exception() {
    JsonValue cases = Cases.read("jinja-robustness.json");
    for (String group : List.of("empty_tests", "arith_tests", "special_tests", "fragments")) {
      for (JsonValue template : Cases.list(cases, group)) {
        survives(((JsonValue.Text) template).value());
      }
    }
  }

  @Test
  void random_mixtures_of_fragments_render_or_fail_with_a_typed_exception() {
    List<String> fragments = new ArrayList<>();
    JsonValue cases = Cases.read("jinja-robustness.json");
    for (String group : List.of("fragments", "malformed", "special_tests")) {
      Cases.list(cases, group).forEach(f -> fragments.add(((JsonValue.Text) f).value()));
    }
    Random random = new Random(7);
    for (int i = 0; i < 3000; i++) {
      StringBuilder source = new StringBuilder();
      for (int n = random.nextInt(8); n >= 0; n--) {
        source.append(fragments.get(random.nextInt(fragments.size())));
      }
      for (int n = random.nextInt(3); n > 0 && !source.isEmpty(); n--) {
        source.deleteCharAt(random.nextInt(source.length()));
      }
      survives(source.toString());
    }
  }

  @Test
  void real_templates_with_characters_missing_render_or_fail_with_a_typed_exception() {
    Random random = new Random(8);
    for (var file : Cases.files("jinja", ".jinja")) {
      for (int i = 0; i < 10; i++) {
        StringBuilder source = new StringBuilder(Cases.text(file));
        for (int n = random.nextInt(4); n >= 0; n--) {
          int at = random.nextInt(source.length());
          source.delete(at, Math.min(source.length(), at + 1 + random.nextInt(20)));
        }
        survives(source.toString());
      }
    }
  }

  private static void survives(String source) {
    Map<String, JsonValue> variables =
        Cases.map(
            JsonReader.read(
                """
                {"x": 1, "y": "z", "arr": [1, "a", null], "obj": {"k": [2]}, "tools": [],
                 "messages": [{"role": "user", "content": "hello"}]}\
                """));
    assertThatCode(
            () -> {
              try {
                Template.parse(source).render(variables);
              } catch (TemplateException expected) {
                assertThat(expected.line()).isPositive();
              }
            })
        .as(source)
        .doesNotThrowAnyException();
  }
}
