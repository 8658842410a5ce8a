package io.gatun.server.anthropic;

import io.gatun.engine.FinishReason;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.Choices;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Json;
import java.util.UUID;

/** What the parts of Anthropic's interface have in common. */
final class Anthropic {
  /** {@code {"type": "error", "error": {"type": …, "message": …}}}. */
  static final ErrorForm ERRORS = Anthropic::error;

  private Anthropic() {}

  private static JsonValue error(ApiException failure) {
    String type =
        switch (failure.reason()) {
          case UNAUTHORIZED -> "authentication_error";
          case FORBIDDEN -> "permission_error";
          case NOT_FOUND -> "not_found_error";
          case TOO_LARGE -> "request_too_large";
          case BUSY -> "rate_limit_error";
          case UNAVAILABLE -> "overloaded_error";
          case FAILED -> "api_error";
          default -> "invalid_request_error";
        };
    return Json.object()
        .put("type", "error")
        .put("error", Json.object().put("type", type).put("message", failure.message()))
        .build();
  }

  static String id(String prefix) {
    return prefix + UUID.randomUUID().toString().replace("-", "");
  }

  static String stopReason(FinishReason reason, Reply reply) {
    if (!reply.goodCalls().isEmpty()) {
      return "tool_use";
    }
    return switch (reason) {
      case STOP -> "end_turn";
      case STOP_TEXT -> "stop_sequence";
      default -> "max_tokens";
    };
  }

  /** What a whole answer took. Tokens of the cache are not counted among the others here. */
  static Json usage(Choices.Totals took) {
    return Json.object()
        .put("input_tokens", took.prompt() - took.cached())
        .put("cache_read_input_tokens", took.cached())
        .put("cache_creation_input_tokens", 0)
        .put("output_tokens", took.completion());
  }
}
