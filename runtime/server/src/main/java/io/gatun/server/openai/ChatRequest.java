package io.gatun.server.openai;

import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.model.chat.Conversation;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.ChatPlan;
import io.gatun.server.generate.OptionFields;
import io.gatun.server.generate.ToolUse;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.Fields;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * A chat completion as it is asked for.
 *
 * @param stream whether the answer comes in pieces
 * @param usage whether a last piece tells what it took
 */
record ChatRequest(ChatPlan plan, boolean stream, boolean usage) {
  private static final int CHOICES_MAX = 16;
  private static final int TOP_LOGPROBS_MAX = 20;

  /** Fields that concern OpenAI's own service and change nothing here. */
  private static final String[] WITHOUT_EFFECT = {
    "user",
    "metadata",
    "store",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "verbosity"
  };

  static ChatRequest read(Fields body, LanguageModel model) {
    body.ignore("model").ignore(WITHOUT_EFFECT);
    boolean stream = body.flag("stream");
    ToolUse tools = ToolFields.read(body);
    ChatPlan plan =
        new ChatPlan(
            conversation(body, tools),
            tools.enforced(options(body, model), "response_format"),
            tools,
            body.integer("n", 1, CHOICES_MAX).orElse(1));
    ChatRequest request = new ChatRequest(plan, stream, usage(body, stream));
    body.end();
    return request;
  }

  /** What the prompt is made of. */
  static Conversation conversation(Fields body, ToolUse tools) {
    return Conversation.of(MessageFields.read(body))
        .withTools(tools.offered())
        .withVariables(variables(body));
  }

  /** What some templates ask for, such as {@code enable_thinking}. */
  private static Map<String, JsonValue> variables(Fields body) {
    Map<String, JsonValue> variables =
        new HashMap<>(
            body.members("chat_template_kwargs").orElse(JsonValue.Members.EMPTY).values());
    body.text("reasoning_effort")
        .ifPresent(effort -> variables.put("reasoning_effort", JsonValue.of(effort)));
    return variables;
  }

  private static GenerateOptions options(Fields body, LanguageModel model) {
    GenerateOptions options = OptionFields.read(body, model, "max_completion_tokens", "max_tokens");
    boolean wanted = body.flag("logprobs");
    OptionalInt top = body.integer("top_logprobs", 0, TOP_LOGPROBS_MAX);
    if (top.isPresent() && !wanted) {
      throw ApiException.field("top_logprobs", "needs logprobs to be true");
    }
    return wanted ? options.withLogprobs(top.orElse(0)) : options;
  }

  /** Whether a streamed answer ends with what it took. */
  static boolean usage(Fields body, boolean stream) {
    return body.object("stream_options")
        .map(fields -> {
          if (!stream) {
            throw ApiException.field("stream_options", "needs stream to be true");
          }
          fields.ignore("include_obfuscation");
          boolean usage = fields.flag("include_usage");
          fields.end();
          return usage;
        })
        .orElse(false);
  }
}
