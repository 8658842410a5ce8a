package io.gatun.model.chat.reply;

/**
 * Hermes 2 Pro and the many that follow it, such as Qwen 2.5 and 3: {@code <tool_call>} around a
 * JSON object.
 */
final class Hermes implements ReplyFormat {
  @Override
  public String label() {
    return "hermes";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<tool_call>");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(JsonCalls.between("<tool_call>", "</tool_call>"))
        .callsFramed("</tool_call>");
  }
}
