package io.gatun.model.chat.reply;

import io.gatun.model.json.JsonValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Calls whose arguments stand between tags of their own: {@code
 * <function=weather><parameter=city>Rome</parameter></function>}. Values are text; which of them
 * are strings, a tag or the tool's schema tells.
 *
 * @param head what a call begins with
 * @param arguments how an argument can be written, the first that fits
 * @param closers any of which ends a call
 * @param skipped what may stand between arguments and means nothing
 */
record TaggedCalls(
    String opener, Tag head, List<Argument> arguments, List<String> closers, List<String> skipped)
    implements CallForm {
  /**
   * How an argument is written.
   *
   * @param begin has its {@code $name}, perhaps the {@code $kind} of its value
   * @param end may have {@code $name} too
   */
  record Argument(Tag begin, String end, Values values) {}

  /** What stands between an argument's tags. */
  enum Values {
    /** The value. */
    PLAIN,
    /** The value in lines of its own. */
    LINES,
    /** The value, or tags for its parts. */
    NESTED
  }

  static TaggedCalls of(String opener, String rest, String... closers) {
    return new TaggedCalls(opener, Tag.of(opener + rest), List.of(), List.of(closers), List.of());
  }

  TaggedCalls argument(String begin, String end, Values values) {
    List<Argument> more = new ArrayList<>(arguments);
    more.add(new Argument(Tag.of(begin), end, values));
    return new TaggedCalls(opener, head, more, closers, skipped);
  }

  TaggedCalls skipping(String... texts) {
    return new TaggedCalls(opener, head, arguments, closers, List.of(texts));
  }

  @Override
  public List<String> openers() {
    return List.of(opener);
  }

  @Override
  public List<String> marks() {
    List<String> all = new ArrayList<>(closers);
    all.addAll(head.texts());
    arguments.forEach(a -> {
      all.addAll(a.begin().texts());
      all.add(a.end());
    });
    all.addAll(skipped);
    return all;
  }

  @Override
  public Fit fits(Incoming in, ReplyScope scope) {
    return head.match(in).fit();
  }

  @Override
  public ReplyPart begin() {
    return new Part(this);
  }

  private static final class Part implements ReplyPart {
    private final TaggedCalls form;
    private boolean opened;
    private JsonValue.Members schema = JsonValue.Members.EMPTY;
    private String before = "{";
    private Optional<TaggedValue> value = Optional.empty();

    Part(TaggedCalls form) {
      this.form = form;
    }

    @Override
    public ReplyPart read(ReplyScope s) {
      if (!opened) {
        open(s);
        return this;
      }
      if (value.isEmpty()) {
        return between(s);
      }
      if (value.get().read(s)) {
        value = Optional.empty();
      }
      return this;
    }

    private void open(ReplyScope s) {
      opened = true;
      Tag.Match match = form.head().match(s.in);
      var _ = s.in.take(match.length());
      s.out.beginCall(match.name());
      schema = s.schema(match.name());
    }

    private ReplyPart between(ReplyScope s) {
      var _ = s.in.take(s.in.afterSpace(0));
      if (s.in.length() == 0) {
        return this;
      }
      boolean wait = false;
      for (String closer : form.closers()) {
        Fit fit = s.in.fits(closer, 0);
        if (fit == Fit.YES) {
          return close(s, closer);
        }
        wait |= fit == Fit.MAYBE;
      }
      for (String text : form.skipped()) {
        Fit fit = s.in.fits(text, 0);
        if (fit == Fit.YES) {
          var _ = s.in.take(text.length());
          return this;
        }
        wait |= fit == Fit.MAYBE;
      }
      for (Argument argument : form.arguments()) {
        Tag.Match match = argument.begin().match(s.in);
        if (match.fit() == Fit.YES && !wait) {
          return argument(s, argument, match);
        }
        wait |= match.fit() == Fit.MAYBE;
      }
      return wait ? this : new RestOfCall(form.closers(), s.callStarts());
    }

    private ReplyPart close(ReplyScope s, String closer) {
      var _ = s.in.take(closer.length());
      s.out.arguments(before.equals("{") ? "{}" : "}");
      s.out.endCall();
      return new ContentPart(true);
    }

    private ReplyPart argument(ReplyScope s, Argument argument, Tag.Match match) {
      var _ = s.in.take(match.length());
      s.out.arguments(before + TaggedValue.quoted(match.name()) + ": ");
      before = ", ";
      value = Optional.of(TaggedValue.of(argument, match, schema));
      return this;
    }

    @Override
    public void end(ReplyScope s) {
      value.ifPresent(v -> v.end(s));
      s.out.arguments(s.in.take(s.in.length()));
      s.out.breakCall();
    }
  }
}
