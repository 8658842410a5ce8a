package io.gatun.model.chat.reply;

import java.util.List;
import java.util.Optional;

/**
 * Calls as JSON objects, one or a list of them, behind an opening text and perhaps before a closing
 * one: {@code <tool_call>{"name": …, "arguments": {…}}</tool_call>}.
 *
 * @param opener empty for objects that stand there alone
 * @param closer empty for none
 */
record JsonCalls(String opener, String closer, Kind kind) implements CallForm {
  /** What the objects are. */
  enum Kind {
    /** Calls, whatever they name. */
    CALLS,
    /** Calls of known tools where nothing stands before; any other JSON is content. */
    PERHAPS_CALLS,
    /** {@code {"weather": {…}}}. */
    NAME_IS_KEY;

    boolean lax() {
      return this != PERHAPS_CALLS;
    }
  }

  static JsonCalls between(String opener, String closer) {
    return new JsonCalls(opener, closer, Kind.CALLS);
  }

  static JsonCalls after(String opener) {
    return new JsonCalls(opener, "", Kind.CALLS);
  }

  /** Objects that stand there alone, or between other texts than those for calls. */
  static JsonCalls perhaps(String opener, String closer) {
    return new JsonCalls(opener, closer, Kind.PERHAPS_CALLS);
  }

  JsonCalls byKey() {
    return new JsonCalls(opener, closer, Kind.NAME_IS_KEY);
  }

  @Override
  public List<String> openers() {
    return opener.isEmpty() ? List.of("{", "[") : List.of(opener);
  }

  @Override
  public List<String> marks() {
    return closer.isEmpty() ? List.of() : List.of(closer);
  }

  @Override
  public boolean onlyFirst() {
    return kind == Kind.PERHAPS_CALLS;
  }

  @Override
  public Fit fits(Incoming in, ReplyScope s) {
    int at = in.afterLittleSpace(opener.length());
    if (at < in.length() && in.charAt(at) == '[') {
      at = in.afterLittleSpace(at + 1);
    }
    return in.fits("{", at);
  }

  @Override
  public ReplyPart begin() {
    return new Part(this);
  }

  private static final class Part implements ReplyPart {
    private final JsonCalls form;
    private boolean opened;
    private boolean list;
    private boolean any;
    private Optional<CallMembers> call = Optional.empty();

    /** What was taken and belongs to no call yet: content, if none begins. */
    private final StringBuilder taken = new StringBuilder();

    Part(JsonCalls form) {
      this.form = form;
    }

    @Override
    public ReplyPart read(ReplyScope s) {
      if (!opened) {
        opened = true;
        taken.append(s.in.take(form.opener().length()));
      }
      while (s.in.length() > 0) {
        Optional<ReplyPart> next = call.isPresent() ? within(s, call.get()) : between(s);
        if (next.isPresent()) {
          return next.get();
        }
      }
      return this;
    }

    private Optional<ReplyPart> within(ReplyScope s, CallMembers members) {
      char c = s.in.charAt(0);
      CallMembers.Step step = members.accept(c, s);
      if (step == CallMembers.Step.WRONG) {
        return Optional.of(
            members.begun() ? new RestOfCall(form.marks(), s.callStarts()) : content(s));
      }
      taken.append(s.in.take(1));
      if (members.begun()) {
        taken.setLength(0);
      }
      if (step == CallMembers.Step.LAST) {
        s.out.endCall();
        any = true;
        call = Optional.empty();
      }
      return Optional.empty();
    }

    private Optional<ReplyPart> between(ReplyScope s) {
      char c = s.in.charAt(0);
      if (c == '{') {
        call = Optional.of(new CallMembers(form.kind()));
        return Optional.empty();
      }
      if (Character.isWhitespace(c) || c == ',' || c == ';') {
        taken.append(s.in.take(1));
        return Optional.empty();
      }
      if ((c == '[' && !list && !any) || (c == ']' && list)) {
        list = c == '[';
        taken.append(s.in.take(1));
        return Optional.empty();
      }
      return switch (form.closer().isEmpty() ? Fit.NO : s.in.fits(form.closer(), 0)) {
        case YES -> {
          taken.append(s.in.take(form.closer().length()));
          yield Optional.of(content(s));
        }
        case MAYBE -> Optional.of(this);
        case NO -> Optional.of(content(s));
      };
    }

    /** Content goes on; what was taken is content too if there was no call. */
    private ReplyPart content(ReplyScope s) {
      if (!any || call.isPresent()) {
        s.out.content(taken.toString());
      }
      taken.setLength(0);
      return new ContentPart(any);
    }

    @Override
    public void end(ReplyScope s) {
      if (call.isPresent() && call.get().begun()) {
        s.out.breakCall();
      } else {
        var _ = content(s);
      }
    }
  }
}
