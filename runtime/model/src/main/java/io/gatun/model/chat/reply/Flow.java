package io.gatun.model.chat.reply;

/**
 * One kind of text in a reply, as it is told. White space between it and a marker is left out: what
 * may turn out to be such is held back. Parts with something else between them are set apart by an
 * empty line.
 */
final class Flow {
  private final StringBuilder told = new StringBuilder();
  private final StringBuilder space = new StringBuilder();
  private boolean trim;
  private boolean apart;

  /** Begins with a text that was told before. */
  Flow(String before) {
    told.append(before);
  }

  /** Takes a piece and returns what is told now. */
  String accept(String piece) {
    int from = trim ? firstInk(piece) : 0;
    int to = afterInk(piece, from);
    if (to == from) {
      space.append(piece, from, piece.length());
      return "";
    }
    String now = (apart ? "\n\n" : "") + space + piece.substring(from, to);
    trim = false;
    apart = false;
    space.setLength(0);
    space.append(piece, to, piece.length());
    told.append(now);
    return now;
  }

  /** Something else stands here. */
  void mark() {
    space.setLength(0);
    trim = true;
    apart = !told.isEmpty();
  }

  /** What was held back, when nothing follows. */
  String end() {
    String rest = trim ? "" : space.toString();
    space.setLength(0);
    told.append(rest);
    return rest;
  }

  String told() {
    return told.toString();
  }

  private static int firstInk(String piece) {
    int i = 0;
    while (i < piece.length() && Character.isWhitespace(piece.charAt(i))) {
      i++;
    }
    return i;
  }

  private static int afterInk(String piece, int from) {
    int i = piece.length();
    while (i > from && Character.isWhitespace(piece.charAt(i - 1))) {
      i--;
    }
    return i;
  }
}
