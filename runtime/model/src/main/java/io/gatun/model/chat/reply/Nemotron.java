package io.gatun.model.chat.reply;

/** Nemotron Nano 2: {@code <TOOLCALL>} around a list of JSON objects. */
final class Nemotron implements ReplyFormat {
  @Override
  public String label() {
    return "nemotron";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("<TOOLCALL>");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(JsonCalls.between("<TOOLCALL>", "</TOOLCALL>"))
        .callsFramed("</TOOLCALL>");
  }
}
