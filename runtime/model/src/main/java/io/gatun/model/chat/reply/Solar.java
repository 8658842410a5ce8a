package io.gatun.model.chat.reply;

/** Solar Open: an id, a name and JSON between tokens. */
final class Solar implements ReplyFormat {
  @Override
  public String label() {
    return "solar";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<|tool_call:begin|>");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(
            NamedCalls.of(
                "<|tool_call:begin|>",
                "$id<|tool_call:name|>$name<|tool_call:args|>",
                "<|tool_call:end|>"))
        .thinking(Thinking.tokens("<|think|>", "<|end|>"))
        .framed("<|begin|>assistant", "<|content|>", "<|end|>")
        .callsFramed("<|tool_calls|>", "<|calls|>", "<|tool_call:end|>");
  }
}
