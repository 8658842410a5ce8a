package io.gatun.model.chat.reply;

import java.util.List;

/** The header of a harmony message: what stands before {@code <|message|>}. */
final class HarmonyHeader implements ReplyPart {
  private static final int LENGTH_MAX = 1024;
  private static final Markers END = Markers.of(List.of(Harmony.MESSAGE));

  /** What a header begins with; what begins otherwise is content alone. */
  private static final List<String> BEGINNINGS =
      List.of(Harmony.CHANNEL, Harmony.START, Harmony.MESSAGE, "to=");

  private boolean begun;
  private int searched;

  @Override
  public ReplyPart read(ReplyScope s) {
    if (!begun) {
      switch (begins(s.in)) {
        case NO -> {
          return HarmonyMessage.content();
        }
        case MAYBE -> {
          return this;
        }
        case YES -> begun = true;
      }
    }
    Markers.Found found = END.find(s.in, searched);
    searched = found.at();
    if (found.marker().isPresent()) {
      return HarmonyMessage.under(s, s.in.take(found.at() + Harmony.MESSAGE.length()));
    }
    if (found.at() <= LENGTH_MAX) {
      return this;
    }
    s.out.content(s.in.take(found.at()));
    return HarmonyMessage.content();
  }

  private static Fit begins(Incoming in) {
    int at = in.afterSpace(0);
    boolean wait = at == in.length() && !in.ended();
    for (String beginning : BEGINNINGS) {
      Fit fit = in.fits(beginning, at);
      if (fit == Fit.YES) {
        return fit;
      }
      wait |= fit == Fit.MAYBE;
    }
    return wait ? Fit.MAYBE : Fit.NO;
  }

  /** A header without a message says nothing. */
  @Override
  public void end(ReplyScope s) {
    var _ = s.in.take(s.in.length());
  }
}
