package io.gatun.model.chat.reply;

import java.util.ArrayList;
import java.util.List;

/**
 * Calls whose arguments look like Python's or like JavaScript's: {@code [weather(city="Rome")]},
 * {@code call:weather{city:<|"|>Rome<|"|>}}.
 *
 * @param head what a call begins with, up to and with the bracket before its arguments
 * @param another how further calls begin that follow the first
 * @param closers what may stand behind a call
 * @param onlyKnown whether it takes a tool's name, and nothing before it, to make a call
 */
record LooseCalls(
    String opener,
    Tag head,
    Tag another,
    LooseArguments.Style style,
    List<String> closers,
    boolean onlyKnown)
    implements CallForm {

  static LooseCalls of(String opener, String rest, LooseArguments.Style style, String... closers) {
    Tag head = Tag.of(opener + rest);
    return new LooseCalls(opener, head, head, style, List.of(closers), false);
  }

  /** How further calls begin that follow the first. */
  LooseCalls another(String pattern) {
    return new LooseCalls(opener, head, Tag.of(pattern), style, closers, onlyKnown);
  }

  /** Only calls of tools that exist, where nothing stands before; anything else is content. */
  LooseCalls ofKnownTools() {
    return new LooseCalls(opener, head, another, style, closers, true);
  }

  @Override
  public boolean onlyFirst() {
    return onlyKnown;
  }

  @Override
  public List<String> openers() {
    return List.of(opener);
  }

  @Override
  public List<String> marks() {
    List<String> all = new ArrayList<>(closers);
    all.addAll(head.texts());
    all.addAll(style.quotes());
    return all;
  }

  @Override
  public Fit fits(Incoming in, ReplyScope scope) {
    Tag.Match match = head.match(in);
    boolean unknown = onlyKnown && match.fit() == Fit.YES && !scope.knows(match.name());
    return unknown ? Fit.NO : match.fit();
  }

  @Override
  public ReplyPart begin() {
    return new Part(this);
  }

  private static final class Part implements ReplyPart {
    private final LooseCalls form;
    private boolean any;
    private boolean writing;
    private LooseArguments arguments;

    Part(LooseCalls form) {
      this.form = form;
      this.arguments = new LooseArguments(form.style());
    }

    @Override
    public ReplyPart read(ReplyScope s) {
      if (!writing) {
        return any ? behind(s) : open(s, form.head().match(s.in));
      }
      StringBuilder json = new StringBuilder();
      LooseArguments.Step step = arguments.read(s.in, json);
      s.out.arguments(json.toString());
      return switch (step) {
        case WITHIN -> this;
        case COMPLETE -> {
          s.out.endCall();
          writing = false;
          yield this;
        }
        case WRONG -> new RestOfCall(form.closers(), s.callStarts());
      };
    }

    private ReplyPart open(ReplyScope s, Tag.Match match) {
      var _ = s.in.take(match.length());
      s.out.beginCall(match.name());
      arguments = new LooseArguments(form.style());
      any = true;
      writing = true;
      return this;
    }

    private ReplyPart behind(ReplyScope s) {
      var _ = s.in.take(s.in.afterSpace(0));
      if (s.in.length() == 0) {
        return this;
      }
      boolean wait = false;
      for (String closer : form.closers()) {
        Fit fit = s.in.fits(closer, 0);
        if (fit == Fit.YES) {
          var _ = s.in.take(closer.length());
          return new ContentPart(true);
        }
        wait |= fit == Fit.MAYBE;
      }
      Tag.Match match = form.another().match(s.in);
      if (match.fit() == Fit.YES) {
        return open(s, match);
      }
      return wait || match.fit() == Fit.MAYBE ? this : new ContentPart(true);
    }

    @Override
    public void end(ReplyScope s) {
      if (writing) {
        s.out.arguments(s.in.take(s.in.length()));
        s.out.breakCall();
      }
    }
  }
}
