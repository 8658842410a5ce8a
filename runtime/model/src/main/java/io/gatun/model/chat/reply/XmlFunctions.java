package io.gatun.model.chat.reply;

/**
 * Qwen3-Coder, Qwen 3.5, Step, Nemotron 3 and, with tags of its own around, Seed-OSS: {@code
 * <function=NAME>} and {@code <parameter=NAME>}.
 */
final class XmlFunctions implements ReplyFormat {
  @Override
  public String label() {
    return "xml functions";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<function=") && template.contains("<parameter=");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(
            TaggedCalls.of("<function=", "$name>", "</function>")
                .argument("<parameter=$name>", "</parameter>", TaggedCalls.Values.LINES),
            JsonCalls.between("<tool_call>", "</tool_call>"))
        .thinking(Thinking.TAGS, Thinking.tags("<seed:think>", "</seed:think>"))
        .callsFramed("<tool_call>", "</tool_call>", "<seed:tool_call>", "</seed:tool_call>");
  }
}
