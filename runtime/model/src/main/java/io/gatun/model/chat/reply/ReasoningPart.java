package io.gatun.model.chat.reply;

/** Reasoning, up to its end. */
final class ReasoningPart implements ReplyPart {
  private final Markers ends;

  ReasoningPart(Markers ends) {
    this.ends = ends;
  }

  @Override
  public ReplyPart read(ReplyScope s) {
    Markers.Found found = ends.find(s.in);
    s.out.reasoning(s.in.take(found.at()));
    if (found.marker().isEmpty()) {
      return this;
    }
    return s.follow(found.marker().get());
  }
}
