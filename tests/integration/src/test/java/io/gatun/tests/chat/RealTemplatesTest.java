package io.gatun.tests.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.model.template.Template;
import io.gatun.model.template.TemplateException;
import io.gatun.model.template.TemplateLimits;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Seventy templates of real models with eleven conversations each, against hashes of what Python
 * renders; {@code scripts/hash-renderings} made them.
 */
class RealTemplatesTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-03-09T08:07:06Z"), ZoneOffset.UTC);

  @TestFactory
  Stream<DynamicTest> a_real_template_renders_as_in_python() throws IOException {
    JsonValue conversations = JsonReader.read(resource("conversations.json"));
    Map<String, Template> templates = new LinkedHashMap<>();
    for (Path file : Cases.files("jinja", ".jinja")) {
      templates.put(file.getFileName().toString(), Template.parse(Cases.text(file)));
    }
    return resource("renderings.txt")
        .lines()
        .map(line -> List.of(line.split("\\|")))
        .filter(parts -> templates.containsKey(parts.get(0)))
        .map(parts ->
            DynamicTest.dynamicTest(
                parts.get(0) + ": " + parts.get(1),
                () ->
                    check(
                        Objects.requireNonNull(templates.get(parts.get(0))),
                        Cases.get(conversations, parts.get(1)),
                        parts.get(2),
                        parts.get(0) + "." + parts.get(1))));
  }

  private static void check(Template template, JsonValue conversation, String expected, String name)
      throws IOException {
    Map<String, JsonValue> variables = new LinkedHashMap<>(Cases.map(conversation));
    variables.put("bos_token", JsonValue.of("<s>"));
    variables.put("eos_token", JsonValue.of("</s>"));
    if (expected.equals("error: TemplateError")) {
      assertThatThrownBy(() -> template.render(variables, CLOCK, TemplateLimits.DEFAULT))
          .isInstanceOfSatisfying(
              TemplateException.class, e -> assertThat(e.raisedByTemplate()).isTrue());
    } else if (expected.startsWith("error")) {
      try {
        template.render(variables, CLOCK, TemplateLimits.DEFAULT);
      } catch (TemplateException e) {
        assertThat(e.raisedByTemplate()).isFalse();
      }
    } else {
      String text = template.render(variables, CLOCK, TemplateLimits.DEFAULT);
      if (System.getProperty("gatun.renderings") != null) {
        Files.writeString(Path.of(System.getProperty("gatun.renderings"), name + ".txt"), text);
      }
      assertThat(hash(text)).isEqualTo(expected);
    }
  }

  private static String hash(String text) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash).substring(0, 32);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = RealTemplatesTest.class.getResourceAsStream("/chat/" + name)) {
      return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
