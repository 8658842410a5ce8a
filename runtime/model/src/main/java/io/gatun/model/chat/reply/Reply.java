package io.gatun.model.chat.reply;

import io.gatun.model.chat.ChatMessage;
import java.util.ArrayList;
import java.util.List;

/**
 * A reply taken apart.
 *
 * @param content the answer
 * @param reasoning what the model thought before
 * @param calls in the order they were written, those with a problem too
 */
public record Reply(String content, String reasoning, List<ReplyCall> calls) {
  public Reply {
    calls = List.copyOf(calls);
  }

  /** The calls whose arguments are a JSON object. */
  public List<ReplyCall> goodCalls() {
    return calls.stream().filter(call -> call.problem().isEmpty()).toList();
  }

  /**
   * The same, calls without an id numbered.
   *
   * @param before so many calls the conversation has already
   */
  public Reply numbered(int before) {
    List<ReplyCall> numbered = new ArrayList<>();
    calls.forEach(call -> numbered.add(call.numbered(before + numbered.size())));
    return new Reply(content, reasoning, numbered);
  }

  /**
   * The assistant's message. A call with a problem stands at the end of its content, so that the
   * model sees what it wrote.
   */
  public ChatMessage message() {
    StringBuilder text = new StringBuilder(content);
    for (ReplyCall call : calls) {
      if (call.problem().isPresent()) {
        text.append(text.isEmpty() ? "" : "\n\n").append(call.name()).append(call.arguments());
      }
    }
    return ChatMessage.assistant(text.toString())
        .withReasoning(reasoning)
        .withToolCalls(goodCalls().stream().map(ReplyCall::toToolCall).toList());
  }
}
