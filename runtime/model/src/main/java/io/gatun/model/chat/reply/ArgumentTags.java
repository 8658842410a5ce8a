package io.gatun.model.chat.reply;

/**
 * GLM 4.5 and later, Spark, Ling, Laguna and Hunyuan 3: {@code <arg_key>} and {@code <arg_value>}.
 */
final class ArgumentTags implements ReplyFormat {
  @Override
  public String label() {
    return "argument tags";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<arg_key");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(
            form("<tool_call>", ""), // GLM
            form("<tool_call:opensource>", ":opensource")) // Hunyuan
        .thinking(Thinking.TAGS, Thinking.tags("<think:opensource>", "</think:opensource>"))
        .callsFramed(
            "</tool_call>",
            "<tool_calls>",
            "</tool_calls>",
            "<tool_calls:opensource>",
            "</tool_calls:opensource>");
  }

  private static CallForm form(String opener, String suffix) {
    return TaggedCalls.of(opener, "~$name", "</tool_call" + suffix + ">")
        .argument(
            "<arg_key%s>$name</arg_key%s>~<arg_value%s>".formatted(suffix, suffix, suffix),
            "</arg_value" + suffix + ">",
            TaggedCalls.Values.PLAIN)
        .skipping("<tool_sep" + suffix + ">");
  }
}
