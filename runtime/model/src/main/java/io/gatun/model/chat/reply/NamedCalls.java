package io.gatun.model.chat.reply;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Calls of a name, a separator and arguments as JSON: {@code [TOOL_CALLS]weather[ARGS]{"city":
 * "Rome"}}. The arguments end where their brackets do.
 *
 * @param head what a call begins with, up to the arguments
 * @param closers what may stand behind the arguments
 * @param onlyKnown whether it takes a tool's name to make a call
 */
record NamedCalls(String opener, Tag head, List<String> closers, boolean onlyKnown)
    implements CallForm {
  private static final List<String> FENCES = List.of("```json", "```");

  static NamedCalls of(String opener, String rest, String... closers) {
    return new NamedCalls(opener, Tag.of(opener + rest), List.of(closers), false);
  }

  /** Only calls of tools that exist; what looks like another call is none. */
  NamedCalls ofKnownTools() {
    return new NamedCalls(opener, head, closers, true);
  }

  @Override
  public List<String> openers() {
    return List.of(opener);
  }

  @Override
  public List<String> marks() {
    List<String> all = new ArrayList<>(closers);
    all.addAll(head.texts());
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

  private enum At {
    HEAD,
    BEFORE,
    ARGUMENTS,
    BEHIND
  }

  private static final class Part implements ReplyPart {
    private final NamedCalls form;
    private At at = At.HEAD;
    private final JsonSpan span = new JsonSpan();

    Part(NamedCalls form) {
      this.form = form;
    }

    @Override
    public ReplyPart read(ReplyScope s) {
      return switch (at) {
        case HEAD -> head(s);
        case BEFORE -> before(s);
        case ARGUMENTS -> arguments(s);
        case BEHIND -> behind(s);
      };
    }

    private ReplyPart head(ReplyScope s) {
      Tag.Match match = form.head().match(s.in);
      var _ = s.in.take(match.length());
      Map<String, String> names = match.names();
      String id = names.getOrDefault("id", "");
      s.out.beginCall(names.containsKey("name") ? match.name() : nameIn(id));
      s.out.id(id);
      at = At.BEFORE;
      return this;
    }

    /** Kimi's ids are {@code functions.NAME:INDEX}. */
    private static String nameIn(String id) {
      int from = id.startsWith("functions.") ? "functions.".length() : 0;
      int colon = id.lastIndexOf(':');
      return id.substring(from, colon > from ? colon : id.length());
    }

    private ReplyPart before(ReplyScope s) {
      skip(s);
      Fit fence = take(s, FENCES);
      if (fence != Fit.NO || s.in.length() == 0) {
        return this;
      }
      if (s.in.charAt(0) != '{') {
        return new RestOfCall(form.closers(), s.callStarts());
      }
      at = At.ARGUMENTS;
      return arguments(s);
    }

    private ReplyPart arguments(ReplyScope s) {
      StringBuilder taken = new StringBuilder();
      while (s.in.length() > 0) {
        String written = span.written(s.in.charAt(0));
        JsonSpan.Step step = span.accept(s.in.charAt(0));
        if (step == JsonSpan.Step.WRONG) {
          s.out.arguments(taken.toString());
          return new RestOfCall(form.closers(), s.callStarts());
        }
        taken.append(written);
        var _ = s.in.take(1);
        if (step == JsonSpan.Step.LAST) {
          s.out.arguments(taken.toString());
          s.out.endCall();
          at = At.BEHIND;
          return this;
        }
      }
      s.out.arguments(taken.toString());
      return this;
    }

    private ReplyPart behind(ReplyScope s) {
      skip(s);
      if (take(s, FENCES) != Fit.NO) {
        return this;
      }
      return switch (take(s, form.closers())) {
        case MAYBE -> this;
        case YES -> new ContentPart(true);
        case NO -> s.in.length() == 0 ? this : new ContentPart(true);
      };
    }

    private static void skip(ReplyScope s) {
      var _ = s.in.take(s.in.afterSpace(0));
    }

    /** Takes the first of these that stands there. */
    private static Fit take(ReplyScope s, List<String> texts) {
      if (s.in.length() == 0) {
        return Fit.NO;
      }
      for (String text : texts) {
        Fit fit = s.in.fits(text, 0);
        if (fit == Fit.YES) {
          var _ = s.in.take(text.length());
        }
        if (fit != Fit.NO) {
          return fit;
        }
      }
      return Fit.NO;
    }

    @Override
    public void end(ReplyScope s) {
      if (at == At.BEFORE) {
        s.out.endCall();
      } else if (at == At.ARGUMENTS) {
        s.out.breakCall();
      }
    }
  }
}
