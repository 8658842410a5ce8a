package io.gatun.model.chat.reply;

/** The answer's text, up to the next marker. */
final class ContentPart implements ReplyPart {
  private boolean atBeginning;

  /**
   * @param atBeginning whether nothing but white space and markers stood here before
   */
  ContentPart(boolean atBeginning) {
    this.atBeginning = atBeginning;
  }

  @Override
  public ReplyPart read(ReplyScope s) {
    if (atBeginning) {
      s.out.content(s.in.take(s.in.afterSpace(0)));
      if (s.in.length() == 0) {
        return this;
      }
      Markers.Found found = s.inContent(true).at(s.in, 0);
      if (found.marker().isPresent() || found.at() == 0) {
        return follow(s, found);
      }
      atBeginning = false;
    }
    return follow(s, s.inContent(false).find(s.in));
  }

  private ReplyPart follow(ReplyScope s, Markers.Found found) {
    s.out.content(s.in.take(found.at()));
    return found.marker().isPresent() ? s.follow(found.marker().get()) : this;
  }
}
