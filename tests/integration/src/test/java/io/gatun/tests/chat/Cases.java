package io.gatun.tests.chat;

import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.tests.kit.SharedFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The cases about chat that lie beside the project. */
final class Cases {
  private Cases() {}

  static JsonValue read(String name) {
    return JsonReader.read(text(SharedFiles.require("data/chat-templates/" + name)));
  }

  static String template(String name) {
    return text(SharedFiles.require("data/chat-templates/jinja/" + name));
  }

  static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Path file(String name) {
    return SharedFiles.require("data/chat-templates/" + name);
  }

  static List<Path> files(String folder, String ending) {
    try (var files = Files.list(SharedFiles.require("data/chat-templates/" + folder))) {
      return files.filter(f -> f.toString().endsWith(ending)).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static JsonValue.Members members(JsonValue value) {
    return (JsonValue.Members) value;
  }

  static Map<String, JsonValue> map(JsonValue value) {
    return members(value).values();
  }

  static JsonValue get(JsonValue of, String name) {
    return members(of).get(name).orElseThrow(() -> new AssertionError("no " + name));
  }

  static List<JsonValue> list(JsonValue of, String name) {
    return ((JsonValue.Items) get(of, name)).values();
  }

  static String text(JsonValue of, String name) {
    return ((JsonValue.Text) get(of, name)).value();
  }

  static boolean flag(JsonValue of, String name) {
    return get(of, name).equals(JsonValue.of(true));
  }
}
