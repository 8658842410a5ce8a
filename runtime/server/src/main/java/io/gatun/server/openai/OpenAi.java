package io.gatun.server.openai;

import io.gatun.engine.FinishReason;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.Choices;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Json;
import java.security.SecureRandom;
import java.util.HexFormat;

/** What the addresses of OpenAI's interface have in common. */
public final class OpenAi {
  private static final SecureRandom RANDOM = new SecureRandom();

  /** {@code {"error": {"message": …, "type": …, "param": …, "code": …}}}. */
  public static final ErrorForm ERRORS = OpenAi::error;

  private OpenAi() {}

  private static JsonValue error(ApiException failure) {
    String type =
        switch (failure.reason()) {
          case UNAUTHORIZED -> "authentication_error";
          case FORBIDDEN -> "permission_error";
          case BUSY -> "rate_limit_error";
          case FAILED, UNAVAILABLE -> "server_error";
          default -> "invalid_request_error";
        };
    return Json.object()
        .put(
            "error",
            Json.object()
                .put("message", failure.message())
                .put("type", type)
                .put("param", failure.field())
                .put("code", failure.code()))
        .build();
  }

  /** An id that no other answer has. */
  static String id(String prefix) {
    byte[] bytes = new byte[12];
    RANDOM.nextBytes(bytes);
    return prefix + HexFormat.of().formatHex(bytes);
  }

  static long now() {
    return System.currentTimeMillis() / 1000;
  }

  /** Of an answer, which may be a tool call. */
  static String finishReason(FinishReason reason, Reply reply) {
    return reply.goodCalls().isEmpty() ? finishReason(reason) : "tool_calls";
  }

  static String finishReason(FinishReason reason) {
    return switch (reason) {
      case STOP, STOP_TEXT -> "stop";
      case LENGTH, CONTEXT_FULL, DEADLINE -> "length";
      case CANCELLED -> throw new IllegalArgumentException("a stopped text has no reason to tell");
    };
  }

  static JsonValue usage(Choices.Totals took) {
    return Json.object()
        .put("prompt_tokens", took.prompt())
        .put("completion_tokens", took.completion())
        .put("total_tokens", took.prompt() + took.completion())
        .put("prompt_tokens_details", Json.object().put("cached_tokens", took.cached()))
        .build();
  }
}
