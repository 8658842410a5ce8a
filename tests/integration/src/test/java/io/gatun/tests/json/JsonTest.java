package io.gatun.tests.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.model.json.JsonException;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonStyle;
import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonWriter;
import io.gatun.tests.kit.SharedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"z\":1,\"a\":[true,false,null],\"\":{}}",
        "[]",
        "\"\\u0000\\n\\\"\\\\é😀\"",
        "-0",
        "1.50e+03",
        "12345678901234567890.12345678901234567890"
      })
  void what_was_read_is_written_again_as_it_was(String text) {
    assertThat(JsonWriter.write(JsonReader.read(text))).isEqualTo(text);
  }

  @Test
  void escapes_are_resolved() {
    assertThat(JsonReader.read("\"\\u00e9\\ud83d\\ude00\\/\\b\\f\\t\""))
        .isEqualTo(new JsonValue.Text("é😀/\b\f\t"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|0",
        "' '|1",
        "nul|0",
        "nullx|4",
        "[1,]|3",
        "[1 2]|3",
        "{\"a\":1,}|7",
        "{a:1}|1",
        "{\"a\" 1}|5",
        "{\"a\":1,\"a\":2}|7",
        "01|0",
        "-|0",
        "1.|0",
        ".5|0",
        "1e|0",
        "+1|0",
        "NaN|0",
        "\"\\x\"|2",
        "\"\\u12g4\"|5",
        "\"\\u\uff11\uff11\uff11\uff11\"|3",
        "\"open|5",
        "\"\\|2",
        "[[1]|4",
        "//c|0",
        "1 1|2",
      })
  void what_is_not_json_is_refused_with_its_place(String text, int offset) {
    assertThatThrownBy(() -> JsonReader.read(text))
        .isInstanceOfSatisfying(JsonException.class, e -> assertThat(e.offset()).isEqualTo(offset));
  }

  @Test
  void raw_control_characters_are_refused() {
    assertThatThrownBy(() -> JsonReader.read("\"a\nb\""))
        .isInstanceOf(JsonException.class)
        .hasMessageContaining("character 2")
        .hasMessageContaining("\\u000a");
    assertThatThrownBy(() -> JsonReader.read("\"a\0b\"")).isInstanceOf(JsonException.class);
  }

  @Test
  void depth_and_length_are_bounded() {
    String deep = "[".repeat(JsonReader.DEPTH_MAX) + "]".repeat(JsonReader.DEPTH_MAX);
    assertThat(JsonWriter.write(JsonReader.read(deep))).isEqualTo(deep);
    assertThatThrownBy(() -> JsonReader.read("[" + deep + "]")).hasMessageContaining("256 levels");
    assertThatThrownBy(() -> JsonReader.read("{\"a\":".repeat(1_000_000)))
        .isInstanceOf(JsonException.class);
    assertThatThrownBy(() -> JsonReader.read("12345", 3, 4)).hasMessageContaining("4 allowed");
  }

  @Test
  void styles_write_as_python_does() {
    JsonValue value = JsonReader.read("{\"a\":[1,{}],\"é\":[],\"c\":{\"d\":\"\\u007f\\u0001\"}}");
    assertThat(JsonWriter.write(value, JsonStyle.PYTHON))
        .isEqualTo("{\"a\": [1, {}], \"é\": [], \"c\": {\"d\": \"\u007f\\u0001\"}}");
    assertThat(JsonWriter.write(value, JsonStyle.indented(2)))
        .isEqualTo(
            """
            {
              "a": [
                1,
                {}
              ],
              "é": [],
              "c": {
                "d": "\u007f\\u0001"
              }
            }\
            """);
    assertThat(JsonWriter.write(JsonValue.of("é😀"), new JsonStyle(",", ":", -1, true)))
        .isEqualTo("\"\\u00e9\\ud83d\\ude00\"");
  }

  @Test
  void members_are_found_and_changed_in_their_place() {
    JsonValue.Members members = (JsonValue.Members) JsonReader.read("{\"a\":\"x\",\"b\":2}");
    assertThat(members.text("a")).contains("x");
    assertThat(members.text("b")).isEmpty();
    assertThat(members.get("c")).isEmpty();
    assertThat(JsonWriter.write(members.with("a", JsonValue.of(1)).with("c", JsonValue.of(true))))
        .isEqualTo("{\"a\":1,\"b\":2,\"c\":true}");
  }

  @Test
  void numbers_keep_their_text() {
    JsonValue.Number number = (JsonValue.Number) JsonReader.read("1.10");
    assertThat(number.decimal()).isEqualTo("1.10");
    assertThat(number.integer()).isFalse();
    assertThat(number.nearestDouble()).isEqualTo(1.1);
    assertThat(JsonValue.of(-7).integer()).isTrue();
    assertThatThrownBy(() -> new JsonValue.Number("0x10"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new JsonValue.Number("")).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void real_files_survive_being_read_and_written() throws IOException {
    Path folder = SharedFiles.require("data");
    try (Stream<Path> files = Files.walk(folder)) {
      List<Path> texts =
          files
              .filter(f -> f.toString().endsWith(".json") && f.toFile().length() < 300_000)
              .toList();
      assertThat(texts).isNotEmpty();
      for (Path file : texts) {
        JsonValue value = JsonReader.read(Files.readString(file));
        assertThat(JsonReader.read(JsonWriter.write(value))).isEqualTo(value);
      }
    }
  }
}
