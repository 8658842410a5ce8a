package io.gatun.model.chat.reply;

/** MiniMax M2: {@code <invoke name="NAME">} and {@code <parameter name="NAME">}. */
final class MiniMaxM2 implements ReplyFormat {
  @Override
  public String label() {
    return "minimax m2";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<minimax:tool_call>");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(
            TaggedCalls.of("<invoke name=\"", "$name\">", "</invoke>")
                .argument("<parameter name=\"$name\">", "</parameter>", TaggedCalls.Values.PLAIN))
        .callsFramed("<minimax:tool_call>", "</minimax:tool_call>");
  }
}
