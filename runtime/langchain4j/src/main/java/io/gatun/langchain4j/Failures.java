package io.gatun.langchain4j;

import dev.langchain4j.exception.InternalServerException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import io.gatun.engine.QueueFullException;
import io.gatun.engine.grammar.GrammarException;
import io.gatun.model.json.JsonException;
import io.gatun.model.template.TemplateException;
import io.gatun.tensor.CapacityException;

/** Gatun's exceptions as LangChain4j's. */
final class Failures {
  private Failures() {}

  static RuntimeException mapped(RuntimeException e) {
    return switch (e) {
      case LangChain4jException own -> own;
      case QueueFullException busy -> new RateLimitException(busy);
      case CapacityException full -> new InvalidRequestException(full.getMessage(), full);
      case GrammarException grammar ->
          new UnsupportedFeatureException("the schema: " + grammar.getMessage());
      case TemplateException refused -> new InvalidRequestException(refused.getMessage(), refused);
      case JsonException json -> new InvalidRequestException(json.getMessage(), json);
      case IllegalArgumentException wrong -> new InvalidRequestException(wrong.getMessage(), wrong);
      case IllegalStateException closed -> closed;
      default -> new InternalServerException(e);
    };
  }

  static UnsupportedFeatureException unsupported(String what) {
    return new UnsupportedFeatureException(what + " is not supported by Gatun");
  }
}
