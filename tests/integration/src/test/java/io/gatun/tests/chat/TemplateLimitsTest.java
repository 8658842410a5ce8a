package io.gatun.tests.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.model.template.Template;
import io.gatun.model.template.TemplateException;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates come from files that nobody vouches for. */
class TemplateLimitsTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for i in range(999999) %}{% for j in range(999999) %}{% endfor %}{% endfor %}",
        "{{ 'a' * 2000000000 }}",
        "{{ ['a'] * 2000000000 }}",
        "{{ range(2000000000) }}",
        "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s"
            + " %}{% endfor %}",
        "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s"
            + " %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}{%"
            + " endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}{%"
            + " endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}{%"
            + " endfor %}{{ ns.l | tojson }}",
        "{% set ns = namespace(l=[1], m=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l]"
            + " %}{% set ns.m = [ns.m, ns.m] %}{% endfor %}{{ ns.l == ns.m }}",
        "{% set l = [] %}{% set _ = l.append(l) %}{{ l }}",
        "{% set l = [] %}{% set _ = l.append(l) %}{{ l | tojson }}",
        "{% set l = [] %}{% for i in range(99999) %}{% set _ = l.extend(l) %}{% set _ = l.append(i)"
            + " %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(x) %}{{ x | map('string') | map('trim') | list }}{{ m([x]) }}{% endmacro %}{{"
            + " m([]) }}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
        "{{ ('a' * 100000).replace('', 'b' * 100000) }}",
        "{{ 'x'.ljust(2000000000) }}",
        "{{ 'x' | center(2000000000) }}",
        "{{ 'x\\nx' | indent(2000000000) }}",
        "{{ '%2000000000s' % 'x' }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '{:999999999}'.format(1) }}",
        "{{ '%.999999999f' % 1.5 }}",
        "{{ 10 ** 999999999 }}",
        "{{ (10 ** 4000) ** (10 ** 4000) }}",
        "{{ [1] | batch(2000000000, 0) }}",
        "{{ [1] | slice(2000000000) }}",
        "{{ ('a,' * 10000000).split(',') | length }}{{ 1 / 0 }}",
        "{{ [[1, 2], [3, 4]] | tojson(indent=2000000000) }}",
      })
  void a_greedy_template_is_stopped(String source) {
    assertThatThrownBy(() -> Template.parse(source).render(Map.of()))
        .isInstanceOf(TemplateException.class);
  }

  @Test
  void deep_nesting_is_refused_even_on_a_small_stack() throws InterruptedException {
    String[] sources = {
      "{{ " + "(".repeat(50_000) + ")".repeat(50_000) + " }}",
      "{{ " + "[".repeat(50_000),
      "{{ " + "-".repeat(50_000) + "1 }}",
      "{{ " + "not ".repeat(50_000) + "1 }}",
      "{{ x" + "[x".repeat(50_000) + "]".repeat(50_000) + " }}",
      "{% if x %}".repeat(50_000),
      "{% if x %}" + "{% elif x %}".repeat(50_000) + "{% endif %}",
      "{{ x" + ".a".repeat(50_000) + " }}",
      "{{ 1" + " + 1".repeat(50_000) + " }}",
      "{{ 1" + " | abs".repeat(50_000) + " }}",
      "{{ 1" + " if 1 else 1".repeat(50_000) + " }}",
      "{% macro m(n) %}"
          + "{% if 1 %}".repeat(60)
          + "{{ m(n) }}"
          + "{% endif %}".repeat(60)
          + "{% endmacro %}{{ m(1) }}",
    };
    for (String source : sources) {
      AtomicReference<Throwable> thrown = new AtomicReference<>();
      Runnable run =
          () -> {
            try {
              Template.parse(source).render(Map.of());
            } catch (Throwable t) {
              thrown.set(t);
            }
          };
      Thread thread = new Thread(null, run, "small stack", 512 << 10);
      thread.start();
      thread.join();
      assertThat(thrown.get()).as(source.substring(0, 30)).isInstanceOf(TemplateException.class);
    }
  }

  @Test
  void nothing_of_java_is_in_reach() {
    Map<String, JsonValue> variables =
        Map.of("m", JsonReader.read("{\"role\": \"user\"}"), "s", JsonValue.of("text"));
    for (String name :
        new String[] {"class", "getClass", "__class__", "__init__", "hashCode", "values()"}) {
      assertThat(Template.parse("{{ m['" + name + "'] }}{{ s['" + name + "'] }}").render(variables))
          .isEmpty();
    }
    assertThatThrownBy(() -> Template.parse("{{ s.getClass() }}").render(variables))
        .isInstanceOf(TemplateException.class);
    assertThatThrownBy(() -> Template.parse("{% include 'x' %}"))
        .hasMessageContaining("needs other templates");
  }

  @Test
  void what_was_given_is_never_changed() {
    JsonValue list = JsonReader.read("[1]");
    Template.parse("{% set _ = l.append(2) %}").render(Map.of("l", list));
    assertThat(list).isEqualTo(JsonReader.read("[1]"));
  }

  @Test
  void a_message_names_the_line_and_what_was_wrong() {
    assertThatThrownBy(() -> Template.parse("a\n\n{{ x.y.z }}").render(Map.of()))
        .hasMessageContaining("line 3")
        .hasMessageContaining("'x' is undefined");
    assertThatThrownBy(() -> Template.parse("a\n{{ x | nope }}").render(Map.of()))
        .hasMessageContaining("line 2: there is no filter 'nope'");
    assertThatThrownBy(() -> Template.parse("{{ raise_exception('No, sir') }}").render(Map.of()))
        .isInstanceOfSatisfying(
            TemplateException.class, e -> assertThat(e.raisedByTemplate()).isTrue())
        .hasMessageContaining("No, sir");
  }
}
