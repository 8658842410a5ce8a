package io.gatun.model.chat.reply;

/**
 * MiniCPM 5: {@code <function name="NAME">} and {@code <param name="NAME">}, with CDATA around what
 * would be tags.
 */
final class MiniCpm5 implements ReplyFormat {
  @Override
  public String label() {
    return "minicpm 5";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<function name=\"");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(
        TaggedCalls.of("<function name=\"", "$name\">", "</function>")
            .argument("<param name=\"$name\"><![CDATA[", "]]></param>", TaggedCalls.Values.PLAIN)
            .argument("<param name=\"$name\">", "</param>", TaggedCalls.Values.PLAIN));
  }
}
