package io.gatun.model.chat.reply;

/**
 * DeepSeek V3, R1 and V3.1: a name behind a token, in the older ones behind a type, and arguments
 * in a fence.
 */
final class DeepSeek implements ReplyFormat {
  @Override
  public String label() {
    return "deepseek";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<｜tool▁call▁begin｜>") || template.contains("<｜Assistant｜>");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(
            NamedCalls.of(
                "<｜tool▁call▁begin｜>", "function<｜tool▁sep｜>$name\n", "<｜tool▁call▁end｜>"),
            NamedCalls.of("<｜tool▁call▁begin｜>", "$name<｜tool▁sep｜>", "<｜tool▁call▁end｜>"))
        .callsFramed("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁end｜>")
        .endingThinking();
  }
}
