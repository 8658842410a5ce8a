package io.gatun.model.chat.reply;

/** Apriel and MiniMax M1: {@code <tool_calls>} around JSON objects. */
final class CallList implements ReplyFormat {
  @Override
  public String label() {
    return "call list";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<tool_calls>");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(JsonCalls.between("<tool_calls>", "</tool_calls>"))
        .thinking(
            Thinking.TAGS,
            Thinking.tags("<thinking>", "</thinking>"),
            Thinking.tags("Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"))
        .callsFramed("</tool_calls>");
  }
}
