package io.gatun.server.generate;

import io.gatun.ToolCallForm;
import io.gatun.engine.grammar.Grammar;
import io.gatun.model.chat.ToolDefinition;
import io.gatun.model.chat.reply.Reply;
import io.gatun.model.chat.reply.ReplyCall;
import io.gatun.model.chat.reply.ReplyEvent;
import java.util.List;

/**
 * Reads an answer that has to be a tool call. A grammar lets the model write nothing but {@code
 * {"name": …, "arguments": {…}}}, whatever its own format is; the call is told when it is complete.
 */
final class ForcedCall implements ReplyReader {
  private final StringBuilder text = new StringBuilder();
  private Reply reply = new Reply("", "", List.of());

  /** What such an answer looks like: a call of one of the tools, with arguments of its schema. */
  static Grammar grammar(String path, List<ToolDefinition> tools) {
    return FormatFields.compiled(path, () -> ToolCallForm.grammar(tools));
  }

  @Override
  public List<ReplyEvent> accept(String piece) {
    text.append(piece);
    return List.of();
  }

  @Override
  public List<ReplyEvent> finish() {
    reply = ToolCallForm.read(text.toString());
    if (reply.calls().isEmpty()) { // it had to end in the middle
      return List.of(new ReplyEvent.Content(text.toString()));
    }
    ReplyCall call = reply.calls().getFirst();
    return List.of(
        new ReplyEvent.CallBegun(0, call.name()),
        new ReplyEvent.CallArguments(0, call.arguments()),
        new ReplyEvent.CallEnded(0, call));
  }

  @Override
  public Reply reply() {
    return reply;
  }
}
