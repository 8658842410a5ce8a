package io.gatun.model.chat.reply;

/** Cohere since Command R7B: a list of JSON objects between tokens. */
final class CommandR7b implements ReplyFormat {
  @Override
  public String label() {
    return "command r7b";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<|START_ACTION|>");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(JsonCalls.between("<|START_ACTION|>", "<|END_ACTION|>"))
        .thinking(Thinking.tokens("<|START_THINKING|>", "<|END_THINKING|>"))
        .framed("<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>")
        .callsFramed("<|END_ACTION|>");
  }
}
