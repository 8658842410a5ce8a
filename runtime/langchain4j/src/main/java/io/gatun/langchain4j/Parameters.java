package io.gatun.langchain4j;

import dev.langchain4j.internal.JsonSchemaElementJsonUtils;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import io.gatun.GenerateOptions;
import io.gatun.engine.grammar.Grammar;
import io.gatun.engine.sample.Penalties;
import io.gatun.engine.sample.SamplerSettings;
import io.gatun.engine.sample.TopK;
import io.gatun.engine.sample.TopP;
import io.gatun.model.json.JsonValue;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A request's parameters as options of Gatun's. */
final class Parameters {
  /** How far back penalties look. */
  private static final int PENALTY_TOKENS = 1024;

  private Parameters() {}

  static GenerateOptions options(ChatRequestParameters p) {
    GenerateOptions options = GenerateOptions.defaults();
    options = options.withSampling(sampling(p, options.sampling()));
    if (p.maxOutputTokens() != null) {
      options = options.withMaxTokens(p.maxOutputTokens());
    }
    if (p.stopSequences() != null) {
      options = options.withStop(p.stopSequences().toArray(String[]::new));
    }
    Optional<Grammar> grammar = grammar(p.responseFormat());
    return grammar.isPresent() ? options.withGrammar(grammar.get()) : options;
  }

  private static SamplerSettings sampling(ChatRequestParameters p, SamplerSettings standard) {
    SamplerSettings sampling = standard;
    if (p.temperature() != null) {
      sampling =
          p.temperature() == 0
              ? SamplerSettings.greedy()
              : sampling.withTemperature(p.temperature().floatValue());
    }
    if (p.topP() != null) {
      sampling = sampling.with(new TopP(p.topP().floatValue()));
    }
    if (p.topK() != null) {
      sampling = sampling.with(new TopK(p.topK()));
    }
    if (p.frequencyPenalty() != null || p.presencePenalty() != null) {
      sampling =
          sampling.with(
              new Penalties(
                  PENALTY_TOKENS, 1, number(p.frequencyPenalty()), number(p.presencePenalty())));
    }
    return sampling;
  }

  private static float number(@Nullable Double value) {
    return value == null ? 0 : value.floatValue();
  }

  /** A model runs one file: only its own name can be asked for. */
  static void requireOwnName(ChatRequestParameters p, String name) {
    if (p.modelName() != null && !p.modelName().equals(name)) {
      throw Failures.unsupported("the modelName parameter with another name than " + name);
    }
  }

  private static Optional<Grammar> grammar(@Nullable ResponseFormat format) {
    if (format == null || format.type() != ResponseFormatType.JSON) {
      return Optional.empty();
    }
    JsonValue schema =
        format.jsonSchema() == null
            ? JsonValue.of(Map.of("type", JsonValue.of("object")))
            : Schemas.of(JsonSchemaElementJsonUtils.toMap(format.jsonSchema().rootElement()));
    return Optional.of(Grammar.jsonSchema(schema));
  }
}
