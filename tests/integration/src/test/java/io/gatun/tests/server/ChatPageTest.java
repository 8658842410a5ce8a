package io.gatun.tests.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.server.ServerOptions;
import io.gatun.tests.server.TestServer.Answer;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The chat page as it is served; what it does in a browser is not tested here. */
@Timeout(60)
class ChatPageTest {
  private static TestServer server;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(ServerOptions.defaults().withApiKeys(List.of("secret")));
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  @Test
  void the_page_is_complete_and_asks_nobody_else() throws Exception {
    Answer page = server.get("/");
    assertThat(page.status()).isEqualTo(200);
    assertThat(page.headers().firstValue("Content-Type")).hasValue("text/html; charset=utf-8");
    assertThat(page.headers().firstValue("Content-Security-Policy").orElseThrow())
        .startsWith("default-src 'none'; script-src 'self'");
    Matcher linked = Pattern.compile("(?:src|href)=\"(/[^\"]+)\"").matcher(page.text());
    int files = 0;
    while (linked.find()) {
      Answer file = server.get(linked.group(1));
      assertThat(file.status()).as(linked.group(1)).isEqualTo(200);
      assertThat(file.text()).doesNotContain("http://").doesNotContain("innerHTML");
      Matcher imported = Pattern.compile("from '\\.(/[^']+)'").matcher(file.text());
      while (imported.find()) {
        assertThat(server.get(imported.group(1)).status()).isEqualTo(200);
        files++;
      }
      files++;
    }
    assertThat(files).isEqualTo(4);
    assertThat(page.text())
        .doesNotContain("http")
        .doesNotContain("style=")
        .doesNotContain("onclick");
  }

  @Test
  void every_field_of_the_page_has_a_label() throws Exception {
    String page = server.get("/").text();
    Matcher fields = Pattern.compile("<(input|select|textarea) id=\"([^\"]+)\"").matcher(page);
    int count = 0;
    while (fields.find()) {
      String before = page.substring(0, fields.start());
      boolean inside = before.lastIndexOf("<label") > before.lastIndexOf("</label>");
      assertThat(inside || page.contains("for=\"%s\"".formatted(fields.group(2))))
          .as(fields.group(2))
          .isTrue();
      count++;
    }
    assertThat(count).isEqualTo(12);
  }
}
