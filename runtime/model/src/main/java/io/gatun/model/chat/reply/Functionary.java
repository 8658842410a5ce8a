package io.gatun.model.chat.reply;

/** Functionary 3.2: each part of a reply names its recipient, a tool or all, behind {@code >>>}. */
final class Functionary implements ReplyFormat {
  private static final String ALL = "all\n";
  private static final NamedCalls FIRST = NamedCalls.of("", "$name\n").ofKnownTools();

  @Override
  public String label() {
    return "functionary 3.2";
  }

  @Override
  public boolean belongsTo(String template) {
    return template.contains(">>>") && template.contains("recipient");
  }

  @Override
  public ReplySyntax syntax() {
    return ReplySyntax.calls(NamedCalls.of(">>>", "$name\n").ofKnownTools())
        .callsFramed(">>>" + ALL);
  }

  @Override
  public ReplyPart begin(ReplyScope scope, String prompt) {
    return scope.begun() ? new ContentPart(false) : new Recipient();
  }

  /** The first recipient; its mark is the end of the prompt. */
  private static final class Recipient implements ReplyPart {
    @Override
    public ReplyPart read(ReplyScope s) {
      Fit all = s.in.fits(ALL, 0);
      Fit call = s.callsPossible() ? FIRST.fits(s.in, s) : Fit.NO;
      if (all == Fit.YES) {
        var _ = s.in.take(ALL.length());
        return new ContentPart(true);
      }
      if (call == Fit.YES) {
        return FIRST.begin();
      }
      return all == Fit.MAYBE || call == Fit.MAYBE ? this : new ContentPart(true);
    }
  }
}
