package io.gatun.model.chat.reply;

/** The text of a reply that no part of it has taken yet. */
final class Incoming {
  /** Taken text is dropped when there is so much of it. */
  private static final int DROP_FROM = 4096;

  /** So much white space may stand where something is waited for. */
  private static final int SPACE_MAX = 64;

  private final StringBuilder text = new StringBuilder();
  private int start;
  private boolean ended;

  void add(String more) {
    text.append(more);
  }

  void end() {
    ended = true;
  }

  /** Whether nothing will be added. */
  boolean ended() {
    return ended;
  }

  int length() {
    return text.length() - start;
  }

  char charAt(int index) {
    return text.charAt(start + index);
  }

  /** Takes the first characters. */
  String take(int count) {
    String taken = text.substring(start, start + count);
    start += count;
    if (start > DROP_FROM && start > text.length() / 2) {
      text.delete(0, start);
      start = 0;
    }
    return taken;
  }

  /** The characters between two places, which stay. */
  String peek(int from, int to) {
    return text.substring(start + from, start + to);
  }

  /** Whether a text stands at a place; as far as is known yet. */
  Fit fits(String what, int at) {
    int both = Math.min(what.length(), length() - at);
    for (int i = 0; i < both; i++) {
      if (charAt(at + i) != what.charAt(i)) {
        return Fit.NO;
      }
    }
    return both == what.length() ? Fit.YES : ended ? Fit.NO : Fit.MAYBE;
  }

  /** Where white space ends that begins at a place, or the first bit of it where it is long. */
  int afterLittleSpace(int at) {
    int i = at;
    while (i < Math.min(length(), at + SPACE_MAX) && Character.isWhitespace(charAt(i))) {
      i++;
    }
    return i;
  }

  /** Where white space ends that begins at a place. */
  int afterSpace(int at) {
    int i = at;
    while (i < length() && Character.isWhitespace(charAt(i))) {
      i++;
    }
    return i;
  }
}
