package io.gatun.model.chat.reply;

import io.gatun.model.json.JsonWriter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * Makes JSON of arguments as Python or JavaScript would have them, while they come: names without
 * quotes, strings in quotes of another kind, {@code True} and {@code None}. It begins behind the
 * opening bracket.
 */
final class LooseArguments {
  /** Deeper values are no arguments. */
  private static final int DEPTH_MAX = 200;

  private static final int NAME_MAX = 256;

  /**
   * How such arguments look.
   *
   * @param quotes of strings
   * @param assign what stands between a name and its value
   * @param close the bracket that ends them
   * @param escapes whether a backslash in a string means something
   */
  record Style(List<String> quotes, char assign, char close, boolean escapes) {
    static final Style PYTHON = new Style(List.of("\"", "'"), '=', ')', true);
  }

  enum Step {
    WITHIN,
    COMPLETE,
    WRONG
  }

  private enum At {
    NAME,
    ASSIGN,
    VALUE,
    STRING,
    BARE,
    BEHIND
  }

  /** An open bracket; a list has no {@code assign}. */
  private static final class Level {
    private final char close;
    private final char assign;
    private boolean empty = true;

    Level(char close, char assign) {
      this.close = close;
      this.assign = assign;
    }

    boolean list() {
      return assign == 0;
    }
  }

  private final Style style;
  private final Deque<Level> levels = new ArrayDeque<>();
  private At at = At.NAME;
  private boolean begun;
  private boolean nameQuoted;
  private Markers quote = Markers.of(List.of("\""));
  private int searched;

  LooseArguments(Style style) {
    this.style = style;
    levels.push(new Level(style.close(), style.assign()));
  }

  /** Takes what is there and appends what it is in JSON. */
  Step read(Incoming in, StringBuilder json) {
    if (!begun) {
      begun = true;
      json.append('{');
    }
    while (true) {
      if (at != At.STRING && at != At.BARE) {
        var _ = in.take(in.afterSpace(0));
      }
      if (in.length() == 0) {
        return Step.WITHIN;
      }
      int before = in.length();
      At was = at;
      boolean right =
          switch (at) {
            case NAME -> name(in, json);
            case ASSIGN -> assign(in, json);
            case VALUE -> value(in, json);
            case STRING -> string(in, json);
            case BARE -> bare(in, json);
            case BEHIND -> behind(in, json);
          };
      if (!right) {
        return Step.WRONG;
      }
      if (levels.isEmpty()) {
        return Step.COMPLETE;
      }
      if (in.length() == before && at == was) {
        return Step.WITHIN;
      }
    }
  }

  /** A name, or the end of what has names. */
  private boolean name(Incoming in, StringBuilder json) {
    Level level = levels.element();
    if (in.charAt(0) == level.close) {
      return close(in, json);
    }
    Optional<Fit> quoted = beginString(in, json);
    if (quoted.isPresent()) {
      nameQuoted = quoted.get() == Fit.YES;
      return true;
    }
    for (int i = 0; i < in.length() && i < NAME_MAX; i++) {
      char c = in.charAt(i);
      if (c == level.assign) {
        separate(level, json);
        json.append(TaggedValue.quoted(in.take(i).strip()));
        at = At.ASSIGN;
        return i > 0;
      }
      if (",{}[]()".indexOf(c) >= 0) {
        return false;
      }
    }
    return in.length() < NAME_MAX;
  }

  private boolean assign(Incoming in, StringBuilder json) {
    if (in.charAt(0) != levels.element().assign) {
      return false;
    }
    var _ = in.take(1);
    json.append(": ");
    at = At.VALUE;
    return true;
  }

  private boolean value(Incoming in, StringBuilder json) {
    Level level = levels.element();
    char c = in.charAt(0);
    if (level.list() && c == level.close) {
      return close(in, json);
    }
    if (beginString(in, json).isPresent()) {
      return true;
    }
    if (level.list()) {
      separate(level, json);
    }
    if (c == '{' || c == '[' || c == '(') {
      var _ = in.take(1);
      json.append(c == '{' ? '{' : '[');
      levels.push(c == '{' ? new Level('}', ':') : new Level(c == '[' ? ']' : ')', (char) 0));
      at = c == '{' ? At.NAME : At.VALUE;
      return levels.size() < DEPTH_MAX;
    }
    at = At.BARE;
    searched = 0;
    return true;
  }

  /** Nothing when no string begins here; {@link Fit#MAYBE} while that is open. */
  private Optional<Fit> beginString(Incoming in, StringBuilder json) {
    for (String mark : style.quotes()) {
      Fit fit = in.fits(mark, 0);
      if (fit == Fit.YES) {
        Level level = levels.element();
        if (at == At.NAME || level.list()) {
          separate(level, json);
        }
        nameQuoted = at == At.NAME;
        var _ = in.take(mark.length());
        json.append('"');
        quote = Markers.of(style.escapes() ? List.of(mark, "\\") : List.of(mark));
        at = At.STRING;
      }
      if (fit != Fit.NO) {
        return Optional.of(fit);
      }
    }
    return Optional.empty();
  }

  private boolean string(Incoming in, StringBuilder json) {
    Markers.Found found = quote.find(in);
    json.append(TaggedValue.escaped(in.take(found.at())));
    if (found.marker().isEmpty()) {
      return true;
    }
    String mark = found.marker().get().text();
    if (mark.equals("\\")) {
      return escape(in, json);
    }
    var _ = in.take(mark.length());
    json.append('"');
    at = nameQuoted ? At.ASSIGN : At.BEHIND;
    nameQuoted = false;
    return true;
  }

  /** What a backslash and a character mean. */
  private static boolean escape(Incoming in, StringBuilder json) {
    if (in.length() < 2) {
      return !in.ended();
    }
    String two = in.take(2);
    char c = two.charAt(1);
    if ("nrtbfu\"\\/".indexOf(c) >= 0) {
      json.append(two);
    } else {
      json.append(c == '\'' ? "'" : TaggedValue.escaped(two));
    }
    return true;
  }

  /** A number or a word, which ends where something else can follow. */
  private boolean bare(Incoming in, StringBuilder json) {
    while (searched < in.length() && ",]})".indexOf(in.charAt(searched)) < 0) {
      searched++;
    }
    if (searched == in.length() || searched == 0) {
      return searched > 0;
    }
    json.append(JsonWriter.write(LooseValue.of(in.take(searched))));
    at = At.BEHIND;
    return true;
  }

  private boolean behind(Incoming in, StringBuilder json) {
    Level level = levels.element();
    char c = in.charAt(0);
    if (c == level.close) {
      return close(in, json);
    }
    var _ = in.take(c == ',' ? 1 : 0);
    at = level.list() ? At.VALUE : At.NAME;
    return c == ',';
  }

  private boolean close(Incoming in, StringBuilder json) {
    var _ = in.take(1);
    json.append(levels.pop().list() ? ']' : '}');
    at = At.BEHIND;
    return true;
  }

  private static void separate(Level level, StringBuilder json) {
    json.append(level.empty ? "" : ", ");
    level.empty = false;
  }
}
