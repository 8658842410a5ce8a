package io.gatun.server.openai;

import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.engine.grammar.Grammar;
import io.gatun.model.chat.ChatMessage;
import io.gatun.model.chat.Conversation;
import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.ChatPlan;
import io.gatun.server.generate.FormatFields;
import io.gatun.server.generate.OptionFields;
import io.gatun.server.generate.ToolUse;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.Fields;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A response as it is asked for.
 *
 * @param instructions what the model is told before the input
 */
record ResponseRequest(ChatPlan plan, boolean stream, Optional<String> instructions) {
  private static final int TOOLS_MAX = 128;

  static ResponseRequest read(Fields body, LanguageModel model) {
    body.ignore("model", "user", "metadata", "store", "service_tier", "safety_identifier");
    body.ignore("prompt_cache_key", "prompt_cache_retention", "stream_options", "include");
    refuse(body);
    boolean stream = body.flag("stream");
    Optional<String> instructions = body.text("instructions");
    List<ChatMessage> messages = new ArrayList<>();
    instructions.ifPresent(text -> messages.add(ChatMessage.system(text)));
    messages.addAll(ResponseInput.read(body));
    ToolUse tools = tools(body);
    ChatPlan plan =
        new ChatPlan(
            Conversation.of(messages).withTools(tools.offered()).withVariables(variables(body)),
            tools.enforced(options(body, model), "text.format"),
            tools,
            1);
    body.end();
    return new ResponseRequest(plan, stream, instructions);
  }

  /** The server keeps no responses, so that none can be gone on with by its id. */
  private static void refuse(Fields body) {
    String why = "is not supported: send the whole conversation as input";
    body.only("previous_response_id", JsonValue.of(""), why);
    body.only("conversation", JsonValue.of(""), why);
    body.only("background", JsonValue.of(false), "is not supported");
    body.only("truncation", JsonValue.of("disabled"), "is not supported");
    body.only("top_logprobs", JsonValue.of(0), "is not supported here; chat completions have it");
    body.only("prompt", JsonValue.of(""), "is not supported");
  }

  private static GenerateOptions options(Fields body, LanguageModel model) {
    GenerateOptions options = OptionFields.read(body, model, "max_output_tokens");
    Optional<Grammar> format =
        body.object("text")
            .flatMap(text -> {
              text.ignore("verbosity");
              Optional<Grammar> found =
                  text.object("format").flatMap(f -> FormatFields.format(f, Optional.of(f)));
              text.end();
              return found;
            });
    return format.map(options::withGrammar).orElse(options);
  }

  private static Map<String, JsonValue> variables(Fields body) {
    return body.object("reasoning")
        .flatMap(fields -> {
          fields.ignore("summary", "generate_summary");
          Optional<String> effort = fields.text("effort");
          fields.end();
          return effort;
        })
        .<Map<String, JsonValue>>map(e -> Map.of("reasoning_effort", JsonValue.of(e)))
        .orElse(Map.of());
  }

  private static ToolUse tools(Fields body) {
    List<ToolDefinition> tools = new ArrayList<>();
    for (JsonValue item : body.items("tools", TOOLS_MAX)) {
      Fields fields = Fields.of(item, "tools[%d]".formatted(tools.size()));
      if (!fields.requiredText("type").equals("function")) {
        throw ApiException.field(fields.path("type"), "must be function");
      }
      tools.add(ToolFields.function(fields, tools));
      fields.end();
    }
    return ToolFields.choice(body, tools, body.bool("parallel_tool_calls").orElse(true));
  }
}
