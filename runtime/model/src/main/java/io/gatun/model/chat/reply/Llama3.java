package io.gatun.model.chat.reply;

/** Llama 3 and 4: a JSON object or calls as Python has them, and built-in tools behind a token. */
final class Llama3 implements ReplyFormat {
  static final CallForm PYTHON =
      LooseCalls.of("[", "~$name(", LooseArguments.Style.PYTHON, "]")
          .another(",~$name(")
          .ofKnownTools();

  @Override
  public String label() {
    return "llama 3";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<|start_header_id|>") || template.contains("<|header_start|>");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(
        JsonCalls.after("<|python_tag|>"),
        LooseCalls.of("<|python_tag|>", "~$name.call(", LooseArguments.Style.PYTHON),
        new CodeCall("<|python_tag|>"),
        JsonCalls.perhaps("", ""),
        PYTHON);
  }
}
