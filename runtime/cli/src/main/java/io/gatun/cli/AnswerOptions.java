package io.gatun.cli;

import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.json.JsonException;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a model answers with, and what of that is shown. */
final class AnswerOptions {
  @Option(
      names = "--reasoning",
      paramLabel = "hide|show",
      description = {
        "Whether to print what the model thinks before it answers; chat does, run --chat does not."
      })
  @Nullable String reasoning;

  @Option(
      names = "--tools",
      paramLabel = "FILE",
      description = {
        "Tools that the model may call: a JSON list of {\"name\", \"description\","
            + " \"parameters\"},",
        "where parameters is a JSON schema, or of what OpenAI's interface takes. Calls are printed."
      })
  @Nullable Path tools;

  @Option(
      names = "--variable",
      paramLabel = "NAME=JSON",
      description = "A variable of the model's chat template, such as enable_thinking=false.")
  Map<String, String> variables = Map.of();

  List<ToolDefinition> tools() throws IOException {
    if (tools == null) {
      return List.of();
    }
    try {
      if (!(JsonReader.read(Texts.of(tools)) instanceof JsonValue.Items(List<JsonValue> all))) {
        throw new IllegalArgumentException("a JSON list of tools is expected");
      }
      List<ToolDefinition> definitions = new ArrayList<>();
      all.forEach(tool -> definitions.add(ToolDefinition.read(tool)));
      return definitions;
    } catch (JsonException | IllegalArgumentException e) {
      throw new IllegalArgumentException("%s: %s".formatted(tools, e.getMessage()), e);
    }
  }

  Map<String, JsonValue> variables() {
    Map<String, JsonValue> values = new LinkedHashMap<>();
    variables.forEach((name, json) -> {
      try {
        values.put(name, JsonReader.read(json));
      } catch (JsonException e) {
        throw new IllegalArgumentException(
            "--variable %s=%s: the value must be JSON, a text in quotes: %s"
                .formatted(name, json, e.getMessage()),
            e);
      }
    });
    return values;
  }

  /**
   * What prints answers.
   *
   * @param showsReasoning what holds unless the user says otherwise
   * @param dim whether the output knows dimmed text
   */
  AnswerPrinter printer(Consumer<String> out, boolean showsReasoning, boolean dim) {
    boolean shows =
        switch (reasoning) {
          case null -> showsReasoning;
          case "show" -> true;
          case "hide" -> false;
          default ->
              throw new IllegalArgumentException(
                  "--reasoning must be hide or show, got '%s'".formatted(reasoning));
        };
    return new AnswerPrinter(out, shows, dim);
  }
}
