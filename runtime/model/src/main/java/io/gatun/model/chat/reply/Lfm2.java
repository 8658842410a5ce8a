package io.gatun.model.chat.reply;

/** Liquid's LFM 2: a list of calls as Python has them, between tokens. */
final class Lfm2 implements ReplyFormat {
  static final CallForm PYTHON =
      LooseCalls.of(
              "<|tool_call_start|>",
              "~[~$name(",
              LooseArguments.Style.PYTHON,
              "]<|tool_call_end|>",
              "]")
          .another(",~$name(");

  @Override
  public String label() {
    return "lfm 2";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<|tool_call_start|>") || template.contains("<|tool_list_start|>");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(PYTHON, JsonCalls.between("<|tool_call_start|>", "<|tool_call_end|>"))
        .callsFramed("<|tool_call_end|>");
  }
}
