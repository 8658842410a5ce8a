package io.gatun.model.chat.reply;

import java.util.List;

/** A call of a tool that runs code, with nothing but the code behind a token. */
record CodeCall(String opener) implements CallForm {
  /** Whose argument is called {@code code}. */
  private static final List<String> TOOLS = List.of("python", "code_interpreter", "ipython");

  @Override
  public List<String> openers() {
    return List.of(opener);
  }

  @Override
  public List<String> marks() {
    return List.of();
  }

  @Override
  public Fit fits(Incoming in, ReplyScope scope) {
    return TOOLS.stream().anyMatch(scope::knows) ? Fit.YES : Fit.NO;
  }

  @Override
  public ReplyPart begin() {
    return new Part(opener);
  }

  private static final class Part implements ReplyPart {
    private final String opener;
    private boolean begun;

    Part(String opener) {
      this.opener = opener;
    }

    @Override
    public ReplyPart read(ReplyScope s) {
      if (!begun) {
        begun = true;
        var _ = s.in.take(opener.length());
        s.out.beginCall(TOOLS.stream().filter(s::knows).findFirst().orElseThrow());
        s.out.arguments("{\"code\": \"");
      }
      s.out.arguments(TaggedValue.escaped(s.in.take(s.in.length())));
      return this;
    }

    @Override
    public void end(ReplyScope s) {
      s.out.arguments("\"}");
      s.out.endCall();
    }
  }
}
