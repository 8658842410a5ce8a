package io.gatun.server.ollama;

import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.engine.FinishReason;
import io.gatun.engine.Usage;
import io.gatun.engine.grammar.Grammar;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.FormatFields;
import io.gatun.server.generate.OptionFields;
import io.gatun.server.generate.SamplingFields;
import io.gatun.server.generate.Texts;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Fields;
import io.gatun.server.http.Json;
import io.gatun.server.models.ModelKind;
import io.gatun.server.models.ModelUse;
import java.io.IOException;
import java.time.Instant;
import java.util.Optional;

/** What the parts of Ollama's interface have in common. */
final class Ollama {
  /** {@code {"error": …}}. */
  static final ErrorForm ERRORS = e -> Json.object().put("error", e.message()).build();

  /** What programs put behind names that have no tag. */
  private static final String TAG = ":latest";

  private Ollama() {}

  /** The model that a request names. */
  static ModelUse use(Texts texts, Fields body) throws IOException, InterruptedException {
    String name = body.requiredText("model");
    String plain = name.endsWith(TAG) ? name.substring(0, name.length() - TAG.length()) : name;
    return texts.models().use(Optional.of(plain), ModelKind.TEXT);
  }

  /** {@code options}, {@code format} and {@code adapter}. */
  static GenerateOptions options(Fields body, LanguageModel model) {
    body.ignore("keep_alive");
    Fields fields = body.object("options").orElse(Fields.of(JsonValue.Members.EMPTY, "options"));
    // How models are loaded is not for requests to say.
    fields.ignore("num_ctx", "num_batch", "num_gpu", "num_thread", "num_keep", "main_gpu");
    fields.ignore("low_vram", "use_mmap", "use_mlock", "numa", "penalize_newline");
    int most = fields.integer("num_predict", -2, Integer.MAX_VALUE).orElse(-1);
    GenerateOptions options =
        GenerateOptions.greedy()
            .withMaxTokens(most < 1 ? Integer.MAX_VALUE : most)
            .withSampling(SamplingFields.read(fields, model.model().vocabularySize()))
            .withStop(OptionFields.stops(fields, "stop").toArray(String[]::new))
            .withAdapters(OptionFields.adapters(body, model));
    fields.end();
    return format(body).map(options::withGrammar).orElse(options);
  }

  /** {@code "json"}, or a schema. */
  private static Optional<Grammar> format(Fields body) {
    Optional<JsonValue> format =
        body.any("format").filter(f -> !f.equals(JsonValue.of(""))); // clients send it empty
    return format.map(f ->
        f.equals(JsonValue.of("json"))
            ? FormatFields.anyObject()
            : FormatFields.schema(body.path("format"), f));
  }

  /** What each line of an answer begins with. */
  static Json line(String model) {
    return Json.object().put("model", model).put("created_at", Instant.now().toString());
  }

  /** What the last line of an answer tells. */
  static Json last(Json line, FinishReason reason, Usage usage, long startNanos) {
    return line.put("done", true)
        .put("done_reason", reason(reason))
        .put("total_duration", System.nanoTime() - startNanos)
        .put("load_duration", 0)
        .put("prompt_eval_count", usage.promptTokens())
        .put("prompt_eval_duration", usage.prefillNanos())
        .put("eval_count", usage.completionTokens())
        .put("eval_duration", usage.decodeNanos());
  }

  private static String reason(FinishReason reason) {
    return switch (reason) {
      case STOP, STOP_TEXT -> "stop";
      default -> "length";
    };
  }
}
