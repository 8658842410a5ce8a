package io.gatun.server.openai;

import io.gatun.engine.FinishReason;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.Choices;
import io.gatun.server.http.Json;
import java.util.List;
import java.util.Optional;

/** What a response and its items look like. */
final class ResponseShape {
  private final String id = OpenAi.id("resp_");
  private final long created = OpenAi.now();
  private final String model;
  private final ResponseRequest request;

  ResponseShape(String model, ResponseRequest request) {
    this.model = model;
    this.request = request;
  }

  /** A response that is not complete yet. */
  JsonValue begun() {
    return head("in_progress", Optional.empty()).put("output", List.of()).putNull("usage").build();
  }

  JsonValue ended(List<JsonValue> output, FinishReason reason, Choices.Totals took) {
    boolean whole = OpenAi.finishReason(reason).equals("stop");
    Optional<String> missing = whole ? Optional.empty() : Optional.of("max_output_tokens");
    return head(whole ? "completed" : "incomplete", missing)
        .put("output", output)
        .put(
            "usage",
            Json.object()
                .put("input_tokens", took.prompt())
                .put("input_tokens_details", Json.object().put("cached_tokens", took.cached()))
                .put("output_tokens", took.completion())
                .put("output_tokens_details", Json.object().put("reasoning_tokens", 0))
                .put("total_tokens", took.prompt() + took.completion()))
        .build();
  }

  private Json head(String status, Optional<String> missing) {
    Json head =
        Json.object()
            .put("id", id)
            .put("object", "response")
            .put("created_at", created)
            .put("status", status)
            .putNull("error")
            .put("instructions", request.instructions())
            .put("model", model)
            .put("parallel_tool_calls", request.plan().tools().several())
            .put("tool_choice", request.plan().tools().forced().isEmpty() ? "auto" : "required")
            .put("tools", List.of())
            .put("metadata", JsonValue.Members.EMPTY)
            .putNull("temperature")
            .putNull("top_p");
    return missing.isEmpty()
        ? head.putNull("incomplete_details")
        : head.put("incomplete_details", Json.object().put("reason", missing));
  }

  /** A message; without text while it begins. */
  static JsonValue message(String id, String text, boolean done) {
    return Json.object()
        .put("type", "message")
        .put("id", id)
        .put("status", done ? "completed" : "in_progress")
        .put("role", "assistant")
        .put("content", done ? List.of(text(text)) : List.of())
        .build();
  }

  static JsonValue text(String text) {
    return Json.object()
        .put("type", "output_text")
        .put("text", text)
        .put("annotations", List.of())
        .build();
  }

  /** What the model thought before. */
  static JsonValue reasoning(String id, String text, boolean done) {
    return Json.object()
        .put("type", "reasoning")
        .put("id", id)
        .put("summary", List.of())
        .put("content", done ? List.of(thought(text)) : List.of())
        .build();
  }

  static JsonValue thought(String text) {
    return Json.object().put("type", "reasoning_text").put("text", text).build();
  }

  static JsonValue call(String id, String callId, String name, String arguments, boolean done) {
    return Json.object()
        .put("type", "function_call")
        .put("id", id)
        .put("call_id", callId)
        .put("name", name)
        .put("arguments", arguments)
        .put("status", done ? "completed" : "in_progress")
        .build();
  }
}
