package io.gatun.server.openai;

import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.ToolUse;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.Fields;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Reads {@code tools}, {@code tool_choice} and {@code parallel_tool_calls}. */
public final class ToolFields {
  private static final int TOOLS_MAX = 128;
  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9_.-]{1,64}");

  private ToolFields() {}

  /** All three. */
  public static ToolUse read(Fields body) {
    List<ToolDefinition> tools = new ArrayList<>();
    for (JsonValue item : body.items("tools", TOOLS_MAX)) {
      tools.add(tool(Fields.of(item, "tools[%d]".formatted(tools.size())), tools));
    }
    boolean several = body.bool("parallel_tool_calls").orElse(true);
    return choice(body, tools, several);
  }

  private static ToolDefinition tool(Fields fields, List<ToolDefinition> before) {
    if (!fields.requiredText("type").equals("function")) {
      throw ApiException.field(fields.path("type"), "must be function");
    }
    Fields function = fields.object("function").orElseThrow(() -> fields.missing("function"));
    ToolDefinition tool = function(function, before);
    function.end();
    fields.end();
    return tool;
  }

  /** A function's name, description and parameters. */
  static ToolDefinition function(Fields function, List<ToolDefinition> before) {
    function.ignore("strict");
    String name = function.requiredText("name");
    if (!NAME.matcher(name).matches()) {
      throw ApiException.field(
          function.path("name"), "must be 1 to 64 letters, digits, underscores, dots or dashes");
    }
    if (before.stream().anyMatch(t -> t.name().equals(name))) {
      throw ApiException.field(function.path("name"), "another tool has this name");
    }
    return new ToolDefinition(
        name,
        function.text("description").orElse(""),
        function.members("parameters").orElse(JsonValue.Members.EMPTY));
  }

  /** {@code auto}, {@code none}, {@code required}, or the name of a function. */
  static ToolUse choice(Fields body, List<ToolDefinition> tools, boolean several) {
    Optional<JsonValue> choice = body.any("tool_choice");
    if (choice.isEmpty()) {
      return new ToolUse(tools, List.of(), several);
    }
    if (choice.get() instanceof JsonValue.Text(String word)) {
      return switch (word) {
        case "auto" -> new ToolUse(tools, List.of(), several);
        case "none" -> ToolUse.NONE;
        case "required" -> {
          if (tools.isEmpty()) {
            throw ApiException.field("tool_choice", "requires a tool, but there are none");
          }
          yield new ToolUse(tools, tools, several);
        }
        default ->
            throw ApiException.field(
                "tool_choice", "must be auto, none, required, or name a function");
      };
    }
    Fields fields = Fields.of(choice.get(), "tool_choice");
    fields.only("type", JsonValue.of("function"), "must be function");
    // Chat completions have the name one level deeper than responses.
    Optional<Fields> function = fields.object("function");
    Fields named = function.orElse(fields);
    String name = named.requiredText("name");
    function.ifPresent(Fields::end);
    fields.end();
    ToolDefinition tool =
        tools.stream()
            .filter(t -> t.name().equals(name))
            .findFirst()
            .orElseThrow(
                () -> ApiException.field(named.path("name"), "there is no tool of this name"));
    return new ToolUse(tools, List.of(tool), several);
  }
}
