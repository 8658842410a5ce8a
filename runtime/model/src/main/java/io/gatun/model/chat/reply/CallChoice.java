package io.gatun.model.chat.reply;

/** Where calls begin: which form they have, or that they are none. */
final class CallChoice implements ReplyPart {
  private final String opener;
  private final boolean atBeginning;

  CallChoice(String opener, boolean atBeginning) {
    this.opener = opener;
    this.atBeginning = atBeginning;
  }

  @Override
  public ReplyPart read(ReplyScope s) {
    for (CallForm form : s.syntax.calls()) {
      if (form.openers().contains(opener) && (atBeginning || !form.onlyFirst())) {
        switch (form.fits(s.in, s)) {
          case YES -> {
            return form.begin();
          }
          case MAYBE -> {
            return this;
          }
          case NO -> {}
        }
      }
    }
    String text = s.in.take(opener.length());
    boolean frame = s.syntax.callFrames().contains(opener);
    s.out.content(frame ? "" : text);
    return new ContentPart(atBeginning && frame);
  }
}
