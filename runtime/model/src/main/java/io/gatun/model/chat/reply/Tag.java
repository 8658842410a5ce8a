package io.gatun.model.chat.reply;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A text with names in it, such as {@code <function=$name>}. In its pattern, {@code $} and letters
 * stand for a name and {@code ~} for white space that may be missing. Immutable.
 */
final class Tag {
  /** Names are no longer, so that little text waits for the end of one. */
  private static final int NAME_MAX = 256;

  /** Whether it stands in a text, how long it is there, and the names in it. */
  record Match(Fit fit, int length, Map<String, String> names) {
    private static final Match NO = new Match(Fit.NO, 0, Map.of());
    private static final Match MAYBE = new Match(Fit.MAYBE, 0, Map.of());

    String name() {
      return names.getOrDefault("name", "");
    }
  }

  private enum Kind {
    TEXT,
    NAME,
    SPACE
  }

  private record Piece(Kind kind, String text) {}

  private final List<Piece> pieces = new ArrayList<>();

  private Tag(String pattern) {
    int i = 0;
    while (i < pattern.length()) {
      int end = i + 1;
      char c = pattern.charAt(i);
      if (c == '~') {
        pieces.add(new Piece(Kind.SPACE, ""));
      } else if (c == '$') {
        while (end < pattern.length() && Character.isLetter(pattern.charAt(end))) {
          end++;
        }
        pieces.add(new Piece(Kind.NAME, pattern.substring(i + 1, end)));
      } else {
        while (end < pattern.length() && "~$".indexOf(pattern.charAt(end)) < 0) {
          end++;
        }
        pieces.add(new Piece(Kind.TEXT, pattern.substring(i, end)));
      }
      i = end;
    }
  }

  static Tag of(String pattern) {
    return new Tag(pattern);
  }

  /** The fixed texts in it. */
  List<String> texts() {
    return pieces.stream().filter(p -> p.kind() == Kind.TEXT).map(Piece::text).toList();
  }

  /** Whether the text begins with it. */
  Match match(Incoming in) {
    Map<String, String> names = new TreeMap<>();
    int at = 0;
    for (int i = 0; i < pieces.size(); i++) {
      Piece piece = pieces.get(i);
      switch (piece.kind()) {
        case SPACE -> {
          at = in.afterLittleSpace(at);
        }
        case TEXT -> {
          Fit fit = in.fits(piece.text(), at);
          if (fit != Fit.YES) {
            return fit == Fit.NO ? Match.NO : Match.MAYBE;
          }
          at += piece.text().length();
        }
        case NAME -> {
          boolean known = i + 1 < pieces.size() && pieces.get(i + 1).kind() == Kind.TEXT;
          Match name = known ? upTo(in, at, pieces.get(i + 1).text()) : word(in, at);
          if (name.fit() != Fit.YES) {
            return name;
          }
          names.put(piece.text(), in.peek(at, at + name.length()).strip());
          at += name.length();
        }
      }
    }
    return new Match(Fit.YES, at, names);
  }

  /** A name, which ends where a text begins. */
  private static Match upTo(Incoming in, int from, String end) {
    for (int i = from; i <= from + NAME_MAX; i++) {
      if (i >= in.length()) {
        return in.ended() ? Match.NO : Match.MAYBE;
      }
      Fit fit = in.fits(end, i);
      if (fit == Fit.YES) {
        return i == from ? Match.NO : new Match(Fit.YES, i - from, Map.of());
      }
      if (fit == Fit.MAYBE) {
        return Match.MAYBE;
      }
      if (in.charAt(i) < ' ') {
        return Match.NO;
      }
    }
    return Match.NO;
  }

  /** A name of letters, digits and what stands between such. */
  private static Match word(Incoming in, int from) {
    int i = from;
    while (i < in.length() && i <= from + NAME_MAX && inWord(in.charAt(i))) {
      i++;
    }
    if (i == in.length() && !in.ended()) {
      return Match.MAYBE;
    }
    return i == from || i > from + NAME_MAX ? Match.NO : new Match(Fit.YES, i - from, Map.of());
  }

  private static boolean inWord(char c) {
    return Character.isLetterOrDigit(c) || "_-.:/".indexOf(c) >= 0;
  }
}
