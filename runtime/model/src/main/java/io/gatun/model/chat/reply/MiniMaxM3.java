package io.gatun.model.chat.reply;

/** MiniMax M3: tags named like the arguments and their parts, each behind a token of its own. */
final class MiniMaxM3 implements ReplyFormat {
  private static final String SPACE = "]<]minimax[>[";

  @Override
  public String label() {
    return "minimax m3";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("]<]minimax[>[");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(
            TaggedCalls.of(SPACE + "<invoke name=\"", "$name\">", SPACE + "</invoke>")
                .argument(SPACE + "<$name>", SPACE + "</$name>", TaggedCalls.Values.NESTED))
        .thinking(Thinking.tags("<mm:think>", "</mm:think>"))
        .callsFramed(SPACE + "<tool_call>", SPACE + "</tool_call>");
  }
}
