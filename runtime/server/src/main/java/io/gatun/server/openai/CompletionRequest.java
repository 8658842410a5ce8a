package io.gatun.server.openai;

import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.OptionFields;
import io.gatun.server.generate.Prompts;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.Fields;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * A plain completion as it is asked for.
 *
 * @param prompts one or several
 * @param choices how many completions of each prompt
 */
record CompletionRequest(
    List<Prompt> prompts, GenerateOptions options, int choices, boolean stream, boolean usage) {
  /**
   * A text to complete.
   *
   * @param tokens owned by the callee
   * @param echo what stands before each completion in the answer: the prompt, or nothing
   */
  record Prompt(int[] tokens, String echo) {}

  private static final int CHOICES_MAX = 16;
  private static final int PROMPTS_MAX = 64;
  private static final int TOP_LOGPROBS_MAX = 20;

  static CompletionRequest read(Fields body, LanguageModel model, Prompts limits) {
    body.ignore("model", "user", "store", "metadata", "service_tier");
    body.only("suffix", JsonValue.of(""), "is not supported");
    boolean stream = body.flag("stream");
    int choices = body.integer("n", 1, CHOICES_MAX).orElse(1);
    int best = body.integer("best_of", 1, CHOICES_MAX).orElse(choices);
    if (best != choices) {
      throw ApiException.field("best_of", "must be n, as all completions are shown");
    }
    JsonValue prompt = body.any("prompt").orElseThrow(() -> body.missing("prompt"));
    boolean echo = body.flag("echo");
    CompletionRequest request =
        new CompletionRequest(
            new PromptFields(model, limits, echo).read(prompt),
            options(body, model),
            choices,
            stream,
            ChatRequest.usage(body, stream));
    body.end();
    if (request.options().logprobs() >= 0 && echo) {
      throw ApiException.field("echo", "cannot be asked for with logprobs");
    }
    return request;
  }

  private static GenerateOptions options(Fields body, LanguageModel model) {
    GenerateOptions options = OptionFields.read(body, model, "max_tokens", "max_completion_tokens");
    OptionalInt top = body.integer("logprobs", 0, TOP_LOGPROBS_MAX);
    return top.isPresent() ? options.withLogprobs(top.getAsInt()) : options;
  }

  /** Reads prompts: a text, token ids, or an array of either. */
  private record PromptFields(LanguageModel model, Prompts limits, boolean echo) {
    List<Prompt> read(JsonValue prompt) {
      boolean many =
          prompt instanceof JsonValue.Items(List<JsonValue> items)
              && !items.isEmpty()
              && !(items.getFirst() instanceof JsonValue.Number);
      if (!many) {
        return List.of(one(prompt, "prompt"));
      }
      List<Prompt> prompts = new ArrayList<>();
      for (JsonValue item : Fields.items(prompt, "prompt", PROMPTS_MAX)) {
        prompts.add(one(item, "prompt[%d]".formatted(prompts.size())));
      }
      return prompts;
    }

    private Prompt one(JsonValue value, String path) {
      if (value instanceof JsonValue.Text(String text)) {
        return new Prompt(limits.of(text, model), echo ? text : "");
      }
      List<JsonValue> ids = Fields.items(value, path, model.engine().contextTokens());
      if (ids.isEmpty()) {
        throw ApiException.field(path, "must not be empty");
      }
      int last = model.model().vocabularySize() - 1;
      int[] tokens = ids.stream().mapToInt(id -> (int) Fields.integer(id, path, 0, last)).toArray();
      return new Prompt(
          limits.limited(tokens, model, path),
          echo ? model.model().vocabulary().decode(tokens) : "");
    }
  }
}
