package io.gatun.server.anthropic;

import io.gatun.engine.FinishReason;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyEvent;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.ChatReader;
import io.gatun.server.generate.ChatRun;
import io.gatun.server.http.Json;
import io.gatun.server.http.ReplyStream;
import java.util.List;

/** An answer in events: blocks that begin, grow and end, one after the other. */
final class MessageStream implements ChatReader {
  private final ReplyStream out;
  private final ChatRun run;
  private final boolean several;

  /** What the block that grows is; empty when there is none. */
  private String open = "";

  private int blocks;
  private String stopReason = "";

  MessageStream(ReplyStream out, String model, MessagesRequest request, ChatRun run) {
    this.out = out;
    this.run = run;
    this.several = request.plan().tools().several();
    Json message =
        Json.object()
            .put("id", Anthropic.id("msg_"))
            .put("type", "message")
            .put("role", "assistant")
            .put("model", model)
            .put("content", List.of())
            .putNull("stop_reason")
            .putNull("stop_sequence")
            .put("usage", Json.object().put("input_tokens", 0).put("output_tokens", 0));
    send("message_start", Json.object().put("message", message));
  }

  @Override
  public void event(int choice, ReplyEvent event) {
    switch (event) {
      case ReplyEvent.Content(String text) -> {
        begin("text", Json.object().put("type", "text").put("text", ""));
        delta(Json.object().put("type", "text_delta").put("text", text));
      }
      case ReplyEvent.Reasoning(String text) -> {
        begin(
            "thinking",
            Json.object().put("type", "thinking").put("thinking", "").put("signature", ""));
        delta(Json.object().put("type", "thinking_delta").put("thinking", text));
      }
      case ReplyEvent.CallBegun(int index, String name) when index == 0 || several ->
          begin(
              "call " + index,
              Json.object()
                  .put("type", "tool_use")
                  .put("id", Anthropic.id("toolu_"))
                  .put("name", name)
                  .put("input", JsonValue.Members.EMPTY));
      case ReplyEvent.CallArguments(int index, String text) when index == 0 || several ->
          delta(Json.object().put("type", "input_json_delta").put("partial_json", text));
      default -> {}
    }
  }

  @Override
  public void end(int choice, FinishReason reason, Reply reply) {
    close();
    stopReason = Anthropic.stopReason(reason, reply);
  }

  /** The last events, when it is known what all of it took. */
  void finish() {
    send(
        "message_delta",
        Json.object()
            .put(
                "delta",
                Json.object().put("stop_reason", stopReason).put("stop_sequence", run.stopText(0)))
            .put("usage", Anthropic.usage(run.totals())));
    send("message_stop", Json.object());
  }

  /** Begins a block unless one of this kind is growing. */
  private void begin(String kind, Json block) {
    if (!open.equals(kind)) {
      close();
      open = kind;
      send("content_block_start", index().put("content_block", block));
    }
  }

  private void delta(Json delta) {
    send("content_block_delta", index().put("delta", delta));
  }

  private void close() {
    if (!open.isEmpty()) {
      send("content_block_stop", index());
      open = "";
      blocks++;
    }
  }

  private Json index() {
    return Json.object().put("index", blocks);
  }

  private void send(String type, Json event) {
    out.event(type, Json.object().put("type", type).putAll(event.build()).build());
  }
}
