package io.gatun.model.chat.reply;

/** Functionary 3.1: {@code <function=NAME>} around JSON, and code behind a token. */
final class FunctionaryTags implements ReplyFormat {
  @Override
  public String label() {
    return "functionary 3.1";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<function=example_function_name>{");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(
        NamedCalls.of("<function=", "$name>", "</function>"), new CodeCall("<|python_tag|>"));
  }
}
