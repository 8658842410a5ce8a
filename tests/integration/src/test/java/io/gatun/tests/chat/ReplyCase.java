package io.gatun.tests.chat;

import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.ChatTemplate;
import io.gatun.model.chat.Conversation;
import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.chat.reply.ReplyParser;
import io.gatun.model.chat.reply.ReplySettings;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Items;
import io.gatun.model.json.JsonValue.Members;
import io.gatun.model.json.JsonValue.Text;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** One of llama.cpp's cases: what a model wrote, and what of that is what. */
record ReplyCase(Members all) {
  static List<ReplyCase> list() {
    return ((Items) Cases.read("output-parser-cases.json"))
        .values().stream().map(c -> new ReplyCase((Members) c)).toList();
  }

  /** The line of llama.cpp's test where it stands. */
  int line() {
    return ((JsonValue.Number) Cases.get(all, "source_line")).decimal().intValueExact();
  }

  String text() {
    return Cases.text(all, "model_output");
  }

  String template() {
    return Cases.text(all, "template");
  }

  /** Whether the model has not written everything yet. */
  boolean partial() {
    return Cases.flag(all, "is_partial");
  }

  String content() {
    return Cases.text(Cases.get(all, "expect"), "content");
  }

  String reasoning() {
    return Cases.text(Cases.get(all, "expect"), "reasoning_content");
  }

  List<JsonValue> calls() {
    return Cases.list(Cases.get(all, "expect"), "tool_calls");
  }

  private static final Map<Integer, Supplier<ReplyParser>> PARSERS = new ConcurrentHashMap<>();

  /** Makes parsers for it; what that takes is done once. */
  Supplier<ReplyParser> parsers() {
    return PARSERS.computeIfAbsent(line(), _ -> newParsers());
  }

  private Supplier<ReplyParser> newParsers() {
    String source = Cases.template(template());
    ReplySettings settings =
        ReplySettings.of(tools())
            .withSeparateReasoning(
                !params().text("reasoning_format").orElse("NONE").endsWith("NONE"));
    if (params().get("continue_final_message").isPresent()) {
      JsonValue last = Cases.list(params(), "messages").getLast();
      ChatMessage begun =
          ChatMessage.assistant(Cases.text(last, "content"))
              .withReasoning(Cases.text(last, "reasoning_content"));
      return () -> ReplyParser.of(source, "", settings.withBegun(begun));
    }
    String prompt = prompt(source);
    return () -> ReplyParser.of(source, prompt, settings);
  }

  private String prompt(String source) {
    JsonValue thinking = params().get("enable_thinking").orElse(JsonValue.of(true));
    Conversation conversation =
        Conversation.of(List.of(ChatMessage.user("Hey there!")))
            .withTools(tools())
            .withVariables(Map.of("enable_thinking", thinking, "thinking", thinking));
    return new ChatTemplate(source, "", "", Clock.systemUTC()).render(conversation);
  }

  private Members params() {
    return (Members) Cases.get(all, "params");
  }

  private List<ToolDefinition> tools() {
    return params().get("tools").map(t -> ((Items) t).values()).orElse(List.of()).stream()
        .map(ReplyCase::tool)
        .toList();
  }

  /** A tool as an object, or as a list of its name, description and parameters. */
  private static ToolDefinition tool(JsonValue tool) {
    return tool instanceof Items(List<JsonValue> parts)
        ? tool(value(parts.get(0)), value(parts.get(1)), value(parts.get(2)))
        : tool(
            Cases.text(tool, "name"),
            Cases.text(tool, "description"),
            Cases.text(tool, "parameters"));
  }

  private static String value(JsonValue text) {
    return ((Text) text).value();
  }

  private static ToolDefinition tool(String name, String description, String parameters) {
    Members schema =
        Optional.of(parameters)
            .filter(p -> !p.isBlank())
            .map(p -> (Members) JsonReader.read(p))
            .orElse(Members.EMPTY);
    return new ToolDefinition(name, description, schema);
  }
}
