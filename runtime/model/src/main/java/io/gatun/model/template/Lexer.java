package io.gatun.model.template;

import io.gatun.model.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a template into text and tags, as Jinja does with {@code trim_blocks} and {@code
 * lstrip_blocks}: a newline behind a block tag goes, and so do blanks before one at the start of a
 * line. A minus in a tag takes all white space on its side, a plus keeps it.
 *
 * @source Jinja 3.1.6, lexer
 */
final class Lexer {
  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;

  /** Whether what is left begins a line. */
  private boolean lineStarts = true;

  private Lexer(String source) {
    this.source = source;
  }

  static List<Token> tokens(String template) {
    String source = template.replace("\r\n", "\n").replace('\r', '\n');
    Lexer lexer =
        new Lexer(source.endsWith("\n") ? source.substring(0, source.length() - 1) : source);
    try {
      lexer.run();
    } catch (Fault fault) {
      throw new TemplateException(lexer.line, fault);
    }
    return lexer.tokens;
  }

  private void run() {
    while (at < source.length()) {
      int tag = nextTag();
      if (tag < 0) {
        text(source.substring(at));
        at = source.length();
      } else {
        textBefore(tag);
        tag();
      }
    }
    add(Kind.END, "");
  }

  private int nextTag() {
    for (int i = source.indexOf('{', at); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  private void textBefore(int tag) {
    String text = source.substring(at, tag);
    char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
    if (sign == '-') {
      text(text.stripTrailing(), text);
    } else if (sign != '+' && source.charAt(tag + 1) != '{') {
      int lastLine = text.lastIndexOf('\n') + 1;
      boolean blank = (lastLine > 0 || lineStarts) && text.substring(lastLine).isBlank();
      text(blank ? text.substring(0, lastLine) : text, text);
    } else {
      text(text);
    }
    at = tag + (sign == '-' || sign == '+' ? 3 : 2);
  }

  private void tag() {
    switch (source.charAt(
        source.charAt(at - 1) == '-' || source.charAt(at - 1) == '+' ? at - 2 : at - 1)) {
      case '#' -> comment();
      case '%' -> {
        if (!raw()) {
          add(Kind.BLOCK_BEGIN, "{%");
          inside("%}", Kind.BLOCK_END);
        }
      }
      default -> {
        add(Kind.OUTPUT_BEGIN, "{{");
        inside("}}", Kind.OUTPUT_END);
      }
    }
  }

  private void comment() {
    int end = source.indexOf("#}", at);
    if (end < 0) {
      throw new Fault("a comment without '#}'");
    }
    char sign = end > at ? source.charAt(end - 1) : ' ';
    skip(end + 2);
    afterBlock(sign);
  }

  private boolean raw() {
    int open = wordTag(at, "raw");
    if (open < 0) {
      return false;
    }
    skip(open);
    if (source.charAt(open - 3) == '-') {
      skip(spaceEnd(open));
    }
    for (int i = source.indexOf("{%", at); i >= 0; i = source.indexOf("{%", i + 2)) {
      char sign = i + 2 < source.length() ? source.charAt(i + 2) : ' ';
      int close = wordTag(sign == '-' || sign == '+' ? i + 3 : i + 2, "endraw");
      if (close >= 0) {
        String text = source.substring(at, i);
        int lastLine = text.lastIndexOf('\n') + 1;
        boolean blank = sign != '+' && lastLine > 0 && text.substring(lastLine).isBlank();
        String kept = blank ? text.substring(0, lastLine) : text;
        text(sign == '-' ? text.stripTrailing() : kept, text);
        at = i;
        skip(close);
        afterBlock(source.charAt(close - 3));
        return true;
      }
    }
    throw new Fault("'raw' without 'endraw'");
  }

  /** The offset behind {@code word %}} where that is what comes next; else -1. */
  private int wordTag(int from, String word) {
    int i = spaceEnd(from);
    if (!source.startsWith(word, i)) {
      return -1;
    }
    i = spaceEnd(i + word.length());
    if (i < source.length() && "+-".indexOf(source.charAt(i)) >= 0) {
      i++;
    }
    return source.startsWith("%}", i) ? i + 2 : -1;
  }

  private int spaceEnd(int from) {
    int i = from;
    while (i < source.length() && Character.isWhitespace(source.charAt(i))) {
      i++;
    }
    return i;
  }

  /** Eats what belongs to the end of a block tag or comment that was read. */
  private void afterBlock(char sign) {
    lineStarts = false;
    if (sign == '-') {
      int end = spaceEnd(at);
      lineStarts = end > at && source.charAt(end - 1) == '\n';
      skip(end);
    } else if (sign != '+' && at < source.length() && source.charAt(at) == '\n') {
      skip(at + 1);
      lineStarts = true;
    }
  }

  /** The tokens of a tag up to its end, which inside of brackets is none. */
  private void inside(String close, Kind kind) {
    int brackets = 0;
    while (true) {
      skip(spaceEnd(at));
      if (at >= source.length()) {
        throw new Fault("a tag without '" + close + "'");
      }
      boolean signed =
          source.startsWith(close, at + 1)
              && (source.charAt(at) == '-' || (source.charAt(at) == '+' && kind == Kind.BLOCK_END));
      if (brackets == 0 && (signed || source.startsWith(close, at))) {
        char sign = signed ? source.charAt(at) : ' ';
        add(kind, close);
        at += signed ? 3 : 2;
        afterBlock(kind == Kind.OUTPUT_END && sign != '-' ? '+' : sign);
        return;
      }
      TagLexer.Piece piece = TagLexer.next(source, at);
      if (piece.kind() == Kind.OPERATOR) {
        brackets += "([{".contains(piece.text()) ? 1 : ")]}".contains(piece.text()) ? -1 : 0;
        if (brackets < 0) {
          throw new Fault("'" + piece.text() + "' closes nothing");
        }
      }
      add(piece.kind(), piece.text());
      skip(piece.end());
    }
  }

  private void text(String text) {
    text(text, text);
  }

  private void text(String kept, String whole) {
    if (!kept.isEmpty()) {
      add(Kind.TEXT, kept);
    }
    count(whole);
  }

  private void skip(int to) {
    count(source.substring(at, to));
    at = to;
  }

  private void count(String passed) {
    line += (int) passed.chars().filter(c -> c == '\n').count();
  }

  private void add(Kind kind, String text) {
    tokens.add(new Token(kind, text, line));
  }
}
