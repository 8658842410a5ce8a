package io.gatun.model.chat.reply;

/** Apertus: a list of JSON objects with the tool's name as the only key. */
final class Apertus implements ReplyFormat {
  @Override
  public String label() {
    return "apertus";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<|tools_prefix|>");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(JsonCalls.between("<|tools_prefix|>", "<|tools_suffix|>").byKey())
        .thinking(Thinking.tokens("<|inner_prefix|>", "<|inner_suffix|>"))
        .callsFramed("<|tools_suffix|>");
  }
}
