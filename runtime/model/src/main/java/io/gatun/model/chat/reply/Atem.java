package io.gatun.model.chat.reply;

/** Muse: {@code <atem:invoke name="NAME">} in messages with a recipient in their header. */
final class Atem implements ReplyFormat {
  /** A header and what stands under it before a call. */
  private static final String TO = "$to<|message|>~<atem:function_calls>~<atem:invoke name=\"";

  @Override
  public String label() {
    return "atem";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<atem:function_calls>");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(call("<atem:invoke name=\"", ""), call("to=", TO))
        .thinking(Thinking.tokens("to=self<|message|>", "<|eom|>"))
        .framed("to=user<|message|>", "<|message|>", "<|start|>assistant", "<|eom|>", "<|eot|>")
        .callsFramed("<atem:function_calls>", "</atem:function_calls>");
  }

  private static CallForm call(String opener, String rest) {
    return TaggedCalls.of(opener, rest + "$name\">", "</atem:invoke>")
        .argument("<atem:parameter name=\"$name\">", "</atem:parameter>", TaggedCalls.Values.PLAIN);
  }
}
