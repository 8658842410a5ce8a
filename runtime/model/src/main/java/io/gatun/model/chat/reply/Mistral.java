package io.gatun.model.chat.reply;

/**
 * Mistral: a list of JSON objects behind {@code [TOOL_CALLS]}, or since version 11 a name, perhaps
 * an id, and arguments.
 */
final class Mistral implements ReplyFormat {
  @Override
  public String label() {
    return "mistral";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("[TOOL_CALLS]");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(
            JsonCalls.after("[TOOL_CALLS]"),
            NamedCalls.of("[TOOL_CALLS]", "$name[CALL_ID]$id[ARGS]"),
            NamedCalls.of("[TOOL_CALLS]", "$name[ARGS]"),
            NamedCalls.of("[TOOL_CALLS]", "~$name~"))
        .thinking(Thinking.tokens("[THINK]", "[/THINK]"), Thinking.TAGS);
  }
}
