package io.gatun.server.anthropic;

import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.Conversation;
import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.ChatPlan;
import io.gatun.server.generate.OptionFields;
import io.gatun.server.generate.SamplingFields;
import io.gatun.server.generate.ToolUse;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.Fields;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/** An answer as it is asked for in Anthropic's interface. */
record MessagesRequest(ChatPlan plan, boolean stream) {
  private static final int TOOLS_MAX = 128;
  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9_-]{1,128}");

  static MessagesRequest read(Fields body, LanguageModel model) {
    body.ignore("model", "metadata", "service_tier");
    boolean stream = body.flag("stream");
    ToolUse tools = tools(body);
    List<ChatMessage> messages = MessageBlocks.read(body);
    ChatPlan plan =
        new ChatPlan(
            Conversation.of(messages).withTools(tools.offered()).withVariables(thinking(body)),
            tools.enforced(options(body, model), "tools"),
            tools,
            1);
    body.end();
    return new MessagesRequest(plan, stream);
  }

  private static GenerateOptions options(Fields body, LanguageModel model) {
    OptionalInt most = body.integer("max_tokens", 1, Integer.MAX_VALUE);
    return GenerateOptions.greedy()
        .withMaxTokens(most.orElseThrow(() -> body.missing("max_tokens")))
        .withSampling(SamplingFields.read(body, model.model().vocabularySize()))
        .withStop(OptionFields.stops(body, "stop_sequences").toArray(String[]::new))
        .withAdapters(OptionFields.adapters(body, model));
  }

  /** Whether the model thinks before, for templates that ask. */
  private static Map<String, JsonValue> thinking(Fields body) {
    return body.object("thinking")
        .<Map<String, JsonValue>>map(fields -> {
          fields.ignore("budget_tokens");
          String type = fields.requiredText("type");
          fields.end();
          return Map.of("enable_thinking", JsonValue.of(!type.equals("disabled")));
        })
        .orElse(Map.of());
  }

  private static ToolUse tools(Fields body) {
    List<ToolDefinition> tools = new ArrayList<>();
    for (JsonValue item : body.items("tools", TOOLS_MAX)) {
      tools.add(tool(Fields.of(item, "tools[%d]".formatted(tools.size()))));
    }
    return body.object("tool_choice")
        .map(choice -> choice(choice, tools))
        .orElse(new ToolUse(tools, List.of(), true));
  }

  private static ToolDefinition tool(Fields fields) {
    fields.ignore("cache_control").only("type", JsonValue.of("custom"), "must be custom");
    String name = fields.requiredText("name");
    if (!NAME.matcher(name).matches()) {
      throw ApiException.field(
          fields.path("name"), "must be 1 to 128 letters, digits, underscores or dashes");
    }
    ToolDefinition tool =
        new ToolDefinition(
            name,
            fields.text("description").orElse(""),
            fields.members("input_schema").orElseThrow(() -> fields.missing("input_schema")));
    fields.end();
    return tool;
  }

  private static ToolUse choice(Fields choice, List<ToolDefinition> tools) {
    boolean several = !choice.flag("disable_parallel_tool_use");
    String type = choice.requiredText("type");
    ToolUse use =
        switch (type) {
          case "auto" -> new ToolUse(tools, List.of(), several);
          case "none" -> ToolUse.NONE;
          case "any" -> new ToolUse(tools, tools, several);
          case "tool" -> new ToolUse(tools, List.of(named(choice, tools)), several);
          default ->
              throw ApiException.field(choice.path("type"), "must be auto, any, tool or none");
        };
    choice.end();
    return use;
  }

  private static ToolDefinition named(Fields choice, List<ToolDefinition> tools) {
    String name = choice.requiredText("name");
    return tools.stream()
        .filter(t -> t.name().equals(name))
        .findFirst()
        .orElseThrow(
            () -> ApiException.field(choice.path("name"), "there is no tool of this name"));
  }
}
