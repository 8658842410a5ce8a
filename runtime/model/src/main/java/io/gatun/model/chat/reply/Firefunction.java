package io.gatun.model.chat.reply;

/** Firefunction 2: a list of JSON objects behind {@code functools}. */
final class Firefunction implements ReplyFormat {
  @Override
  public String label() {
    return "firefunction";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains("functools[");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(JsonCalls.after(" functools"), JsonCalls.after("functools"));
  }
}
