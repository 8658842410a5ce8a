package io.gatun.model.chat.reply;

/**
 * DeepSeek V3.2 and V4: {@code <｜DSML｜invoke name="NAME">}, with parameters that say whether they
 * are strings.
 */
final class DeepSeekMarkup implements ReplyFormat {
  @Override
  public String label() {
    return "deepseek markup";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("｜DSML｜");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(
            TaggedCalls.of("<｜DSML｜invoke name=\"", "$name\">", "</｜DSML｜invoke>")
                .argument(
                    "<｜DSML｜parameter name=\"$name\" string=\"$kind\">",
                    "</｜DSML｜parameter>",
                    TaggedCalls.Values.PLAIN))
        .callsFramed(
            "<｜DSML｜tool_calls>",
            "</｜DSML｜tool_calls>",
            "<｜DSML｜function_calls>",
            "</｜DSML｜function_calls>")
        .endingThinking();
  }
}
