package io.gatun.model.chat.reply;

/** Command R: a list of JSON objects behind {@code Action:}. */
final class CommandR implements ReplyFormat {
  @Override
  public String label() {
    return "command r";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("Write \\'Action:\\'") && template.contains("tool_name");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(
        JsonCalls.between("Action:\n```json", "```"), JsonCalls.between("Action: ```json", "```"));
  }
}
