package io.gatun.model.chat.reply;

/** Granite 3: a list of JSON objects behind {@code <|tool_call|>}. */
final class Granite implements ReplyFormat {
  @Override
  public String label() {
    return "granite";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<|tool_call|>");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(JsonCalls.after("<|tool_call|>"), JsonCalls.after("<tool_call>"))
        .framed("<response>", "</response>");
  }
}
