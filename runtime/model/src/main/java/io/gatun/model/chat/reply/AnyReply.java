package io.gatun.model.chat.reply;

/**
 * For templates that say nothing of tools: what models without a format of their own mostly write.
 */
final class AnyReply implements ReplyFormat {
  @Override
  public String label() {
    return "any";
  }

  @Override
  public boolean belongsTo(String template) {
    return true;
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(
            JsonCalls.between("<tool_call>", "</tool_call>"),
            JsonCalls.perhaps("", ""),
            JsonCalls.perhaps("```json", "```"),
            Lfm2.PYTHON,
            Llama3.PYTHON)
        .callsFramed("</tool_call>", "<|tool_call_end|>");
  }
}
