package io.gatun.model.chat.reply;

/** Kimi K2: {@code functions.NAME:INDEX} and JSON between tokens. */
final class KimiK2 implements ReplyFormat {
  @Override
  public String label() {
    return "kimi k2";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<|tool_call_begin|>");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(
            NamedCalls.of(
                "<|tool_call_begin|>", "$id<|tool_call_argument_begin|>", "<|tool_call_end|>"))
        .callsFramed(
            "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", "<|tool_call_end|>")
        .endingThinking();
  }
}
