package io.gatun.model.chat.reply;

import java.util.List;

/**
 * Takes a reply apart while it comes: what is reasoning, what is content, what is a tool call. Any
 * text is taken, however wrong; what is no call in the model's format stays content, and a call
 * with wrong arguments says so. Nothing is told that may still turn out to be a marker, and nothing
 * is lost but the markers and white space around them.
 *
 * <p>Time grows with the length of the text, however it is cut. Not thread-safe; one per reply.
 */
public final class ReplyParser {
  private final ReplyFormat format;
  private final ReplyScope scope;
  private ReplyPart part;
  private boolean finished;

  private ReplyParser(ReplyFormat format, String prompt, ReplySettings settings) {
    this.format = format;
    this.scope = new ReplyScope(format.syntax(), settings);
    this.part = format.begin(scope, prompt);
  }

  /**
   * A parser for a model's reply.
   *
   * @param template the source of the model's chat template, by which its format is known
   * @param prompt what the model replies to, or the end of it
   */
  public static ReplyParser of(String template, String prompt, ReplySettings settings) {
    return new ReplyParser(ReplyFormats.of(template), prompt, settings);
  }

  /** The format, for people. */
  public String format() {
    return format.label();
  }

  /**
   * Whether a token's text is a part of what marks something in this format. Models often have
   * tokens for that which are no text otherwise.
   */
  public boolean marks(String token) {
    return !token.isEmpty() && marks().stream().anyMatch(m -> m.contains(token));
  }

  /** The texts that mark something in this format. */
  public List<String> marks() {
    return scope.syntax.marks();
  }

  /**
   * Takes the next piece of the text.
   *
   * @return what it brought; nothing while a piece may still be one thing or another
   */
  public List<ReplyEvent> accept(String piece) {
    if (finished) {
      throw new IllegalStateException("the reply has ended");
    }
    scope.in.add(piece);
    read();
    return scope.out.drain();
  }

  /** Ends the text, and tells what was held back. A second time there is nothing. */
  public List<ReplyEvent> finish() {
    if (!finished) {
      finished = true;
      scope.in.end();
      read();
      part.end(scope);
      scope.out.content(scope.in.take(scope.in.length()));
      scope.out.end();
    }
    return scope.out.drain();
  }

  /** What was told so far. */
  public Reply reply() {
    return scope.out.reply();
  }

  private void read() {
    while (true) {
      int left = scope.in.length();
      ReplyPart next = part.read(scope);
      if (next.equals(part) && scope.in.length() == left) {
        return;
      }
      part = next;
    }
  }
}
