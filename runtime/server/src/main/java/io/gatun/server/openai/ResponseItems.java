package io.gatun.server.openai;

import io.gatun.engine.FinishReason;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyEvent;
import io.gatun.model.json.JsonValue;
import io.gatun.server.generate.ChatReader;
import io.gatun.server.http.Json;
import java.util.ArrayList;
import java.util.List;

/**
 * The items of a response, one after the other: each begins, grows and ends, and every change is an
 * event. Who wants the whole response alone leaves the events out.
 */
final class ResponseItems implements ChatReader {
  private final Events events;
  private final boolean several;
  private final List<JsonValue> done = new ArrayList<>();
  private final StringBuilder text = new StringBuilder();
  private Kind kind = Kind.NONE;
  private String id = "";
  private String callId = "";
  private String name = "";
  private FinishReason reason = FinishReason.STOP;

  /** What the item that grows is. */
  private enum Kind {
    NONE,
    MESSAGE,
    REASONING,
    CALL
  }

  /** Where events go. */
  interface Events {
    void event(String type, Json event);
  }

  ResponseItems(Events events, boolean several) {
    this.events = events;
    this.several = several;
  }

  @Override
  public void event(int choice, ReplyEvent event) {
    switch (event) {
      case ReplyEvent.Content(String more) -> {
        begin(Kind.MESSAGE, "msg_");
        grow("response.output_text.delta", more);
      }
      case ReplyEvent.Reasoning(String more) -> {
        begin(Kind.REASONING, "rs_");
        grow("response.reasoning_text.delta", more);
      }
      case ReplyEvent.CallBegun(int index, String called) when index == 0 || several -> {
        close();
        name = called;
        callId = OpenAi.id("call_");
        begin(Kind.CALL, "fc_");
      }
      case ReplyEvent.CallArguments(int index, String more) when index == 0 || several ->
          grow("response.function_call_arguments.delta", more);
      default -> {}
    }
  }

  @Override
  public void end(int choice, FinishReason ended, Reply reply) {
    close();
    reason = ended;
  }

  /** All items, at the end. */
  List<JsonValue> all() {
    return done;
  }

  FinishReason reason() {
    return reason;
  }

  private void begin(Kind wanted, String prefix) {
    if (kind == wanted) {
      return;
    }
    close();
    kind = wanted;
    id = OpenAi.id(prefix);
    events.event("response.output_item.added", place().put("item", item(false)));
    if (kind != Kind.CALL) {
      events.event("response.content_part.added", part().put("part", content("")));
    }
  }

  private void grow(String type, String more) {
    text.append(more);
    events.event(type, part().put("delta", more));
  }

  private void close() {
    if (kind == Kind.NONE) {
      return;
    }
    String whole = text.toString();
    switch (kind) {
      case MESSAGE -> events.event("response.output_text.done", part().put("text", whole));
      case REASONING -> events.event("response.reasoning_text.done", part().put("text", whole));
      default ->
          events.event("response.function_call_arguments.done", part().put("arguments", whole));
    }
    if (kind != Kind.CALL) {
      events.event("response.content_part.done", part().put("part", content(whole)));
    }
    JsonValue item = item(true);
    events.event("response.output_item.done", place().put("item", item));
    done.add(item);
    text.setLength(0);
    kind = Kind.NONE;
  }

  private JsonValue item(boolean complete) {
    String whole = text.toString();
    return switch (kind) {
      case MESSAGE -> ResponseShape.message(id, whole, complete);
      case REASONING -> ResponseShape.reasoning(id, whole, complete);
      default -> ResponseShape.call(id, callId, name, whole, complete);
    };
  }

  private JsonValue content(String whole) {
    return kind == Kind.MESSAGE ? ResponseShape.text(whole) : ResponseShape.thought(whole);
  }

  private Json place() {
    return Json.object().put("output_index", done.size());
  }

  private Json part() {
    Json part = place().put("item_id", id);
    return kind == Kind.CALL ? part : part.put("content_index", 0);
  }
}
