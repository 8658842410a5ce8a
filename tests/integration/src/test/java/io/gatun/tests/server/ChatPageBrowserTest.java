package io.gatun.tests.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The chat page in a real browser, where there is one. */
@Timeout(120)
class ChatPageBrowserTest {
  private static final int ENTER = 13;
  private static final int ESCAPE = 27;
  private static TestServer server;
  private static Browser browser;

  @BeforeAll
  static void start() throws Exception {
    Optional<Path> program = Browser.program();
    Assumptions.assumeTrue(program.isPresent(), "skipped: there is no Chromium on the PATH");
    server = TestServer.start();
    browser = Browser.open(program.get());
  }

  @AfterAll
  static void stop() {
    if (browser != null) {
      browser.close();
    }
    if (server != null) {
      server.close();
    }
  }

  @BeforeEach
  void open() throws Exception {
    browser.go(server.uri("/"));
    browser.until("document.getElementById('model').value === 'stories'");
  }

  private static void ask(String text, int tokens) throws Exception {
    assertThat(browser.value("document.getElementById('max_tokens').value = " + tokens))
        .isNotNull();
    assertThat(browser.value("document.getElementById('temperature').value = 0")).isNotNull();
    assertThat(browser.value("document.getElementById('text').focus()")).isNotNull();
    browser.type(text);
    browser.press("Enter", ENTER);
  }

  private static void awaitEnd() throws Exception {
    browser.until("document.getElementById('log').getAttribute('aria-busy') === 'false'");
  }

  @Test
  void a_question_is_answered_and_its_speed_told() throws Exception {
    ask("Hello there.", 20);
    awaitEnd();
    assertThat(browser.value("document.querySelectorAll('article').length")).isEqualTo("2");
    assertThat(browser.value("document.querySelector('article.user .body').textContent"))
        .isEqualTo("Hello there.");
    assertThat(browser.value("document.querySelector('article.assistant .body').textContent"))
        .isNotEmpty();
    assertThat(browser.value("document.getElementById('status').textContent"))
        .matches("20 tokens, [0-9.]+ tokens/s, first after [0-9.]+ s");
    assertThat(browser.value("document.activeElement.id")).isEqualTo("text");
  }

  @Test
  void escape_stops_an_answer_and_the_engine_too() throws Exception {
    ask("Hello there.", TestServer.CONTEXT / 2);
    browser.until("document.querySelector('article.assistant .body')?.textContent.length > 3");
    browser.press("Escape", ESCAPE);
    awaitEnd();
    assertThat(server.await(s -> s.running() + s.waiting() == 0)).isNotNull();
  }

  @Test
  void a_question_can_be_edited_and_an_answer_made_anew() throws Exception {
    ask("First.", 8);
    awaitEnd();
    String answer = browser.value("document.querySelector('article.assistant .body').textContent");
    click("Regenerate");
    awaitEnd();
    assertThat(browser.value("document.querySelector('article.assistant .body').textContent"))
        .isEqualTo(answer);
    assertThat(browser.value("document.querySelectorAll('article').length")).isEqualTo("2");
    click("Edit");
    assertThat(browser.value("document.getElementById('text').value")).isEqualTo("First.");
    assertThat(browser.value("document.querySelectorAll('article').length")).isEqualTo("0");
  }

  private static void click(String label) throws Exception {
    assertThat(
            browser.value(
                "[...document.querySelectorAll('button')].find(b => b.textContent === '%s').click()"
                    .formatted(label)))
        .isNotNull();
  }

  @Test
  void what_a_model_writes_becomes_no_elements_but_those_of_markdown() throws Exception {
    String made =
        """
        import('/markdown.js').then(m => {
          const into = document.createElement('div');
          m.render(document, into, '# T\\n<img src=x onerror=alert(1)> **b** [l](javascript:alert(1)) '
            + '[g](https://a.example)\\n\\n```\\n<script>\\n```\\n- i\\n\\n| a |b|\\n|--|--|\\n|c|d|');
          return [...into.querySelectorAll('*')].map(e => e.tagName.toLowerCase()).join() + ' '
            + into.querySelector('a').href;
        })
        """;
    assertThat(browser.value(made.strip()))
        .isEqualTo("h3,p,strong,a,pre,code,ul,li,table,tr,th,th,tr,td,td https://a.example/");
  }
}
