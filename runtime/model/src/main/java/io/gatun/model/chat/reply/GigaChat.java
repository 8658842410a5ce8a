package io.gatun.model.chat.reply;

/** GigaChat 3: a JSON object as a message of its own. */
final class GigaChat implements ReplyFormat {
  @Override
  public String label() {
    return "gigachat";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<|role_sep|>") || template.contains("<|function_call|>");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(
        JsonCalls.after("<|message_sep|>\n\nfunction call<|role_sep|>\n"),
        JsonCalls.after("<|function_call|>"));
  }
}
