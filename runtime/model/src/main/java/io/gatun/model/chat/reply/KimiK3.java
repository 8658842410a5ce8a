package io.gatun.model.chat.reply;

/** Kimi K3: every part of a reply opened and closed by a tag of three tokens. */
final class KimiK3 implements ReplyFormat {
  @Override
  public String label() {
    return "kimi k3";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<|open|>") && template.contains("<|sep|>");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(
            TaggedCalls.of(
                    "<|open|>call tool=\"",
                    "$name\" index=\"$index\"<|sep|>",
                    "<|close|>call<|sep|>")
                .argument(
                    "<|open|>argument key=\"$name\" type=\"$kind\"<|sep|>",
                    "<|close|>argument<|sep|>",
                    TaggedCalls.Values.PLAIN))
        .thinking(
            Thinking.tokens(
                "<|open|>think<|sep|>", "<|close|>think<|sep|>", "<|open|>response<|sep|>"))
        .framed("<|open|>response<|sep|>", "<|close|>response<|sep|>", "<|close|>message<|sep|>")
        .callsFramed("<|open|>tools<|sep|>", "<|close|>tools<|sep|>");
  }
}
