package io.gatun.model.json;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads JSON strictly: one value, nothing behind it, no comments, no trailing commas, no name twice
 * in an object. Depth and size are bounded, so that a hostile text costs an exception and not a
 * stack or the heap.
 *
 * <p>A lone surrogate written as an escape is kept as it is.
 *
 * @source RFC 8259
 */
public final class JsonReader {
  /** How deep arrays and objects may lie in each other where nothing else is said. */
  public static final int DEPTH_MAX = 256;

  /** How long a text may be where nothing else is said, in {@code char}s. */
  public static final int LENGTH_MAX = 1 << 26;

  private final String text;
  private final int depthMax;
  private int at;
  private int depth;

  private JsonReader(String text, int depthMax) {
    this.text = text;
    this.depthMax = depthMax;
  }

  /**
   * The value that the text holds.
   *
   * @throws JsonException if it holds none, or is deeper or longer than allowed
   */
  public static JsonValue read(String text) {
    return read(text, DEPTH_MAX, LENGTH_MAX);
  }

  /** The same with other bounds. Above some thousands of levels Java's own stack is the bound. */
  public static JsonValue read(String text, int depthMax, int lengthMax) {
    if (text.length() > lengthMax) {
      throw new JsonException(
          lengthMax, "%d characters, of %d allowed".formatted(text.length(), lengthMax));
    }
    JsonReader reader = new JsonReader(text, depthMax);
    JsonValue value = reader.value();
    reader.skipSpace();
    if (reader.at < text.length()) {
      throw reader.expected("the end");
    }
    return value;
  }

  private JsonValue value() {
    skipSpace();
    return switch (peek()) {
      case '{' -> members();
      case '[' -> items();
      case '"' -> new JsonValue.Text(string());
      case 't' -> word("true", new JsonValue.Bool(true));
      case 'f' -> word("false", new JsonValue.Bool(false));
      case 'n' -> word("null", JsonValue.Null.NULL);
      case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' -> number();
      default -> throw expected("a value");
    };
  }

  private JsonValue members() {
    enter();
    Map<String, JsonValue> values = new LinkedHashMap<>();
    if (!emptyUntil('}')) {
      do {
        skipSpace();
        int start = at;
        if (peek() != '"') {
          throw expected("a name in quotes");
        }
        String name = string();
        skipSpace();
        take(':', "':'");
        if (values.put(name, value()) != null) {
          throw new JsonException(start, "the name \"" + name + "\" a second time");
        }
      } while (more('}'));
    }
    depth--;
    return new JsonValue.Members(values);
  }

  private JsonValue items() {
    enter();
    List<JsonValue> values = new ArrayList<>();
    if (!emptyUntil(']')) {
      do {
        values.add(value());
      } while (more(']'));
    }
    depth--;
    return new JsonValue.Items(values);
  }

  private void enter() {
    if (++depth > depthMax) {
      throw new JsonException(at, "more than %d levels deep".formatted(depthMax));
    }
    at++;
  }

  private boolean emptyUntil(char close) {
    skipSpace();
    if (peek() != close) {
      return false;
    }
    at++;
    return true;
  }

  private boolean more(char close) {
    skipSpace();
    if (peek() == ',') {
      at++;
      return true;
    }
    take(close, "',' or '" + close + "'");
    return false;
  }

  private String string() {
    at++;
    int plain = at;
    while (plain < text.length() && !special(text.charAt(plain))) {
      plain++;
    }
    StringBuilder out = new StringBuilder(text.substring(at, plain));
    at = plain;
    while (true) {
      char c = peek();
      if (c == '"' && at < text.length()) {
        at++;
        return out.toString();
      }
      if (c < ' ') {
        throw expected("'\"', or \\u%04x for this character".formatted((int) c));
      }
      at++;
      out.append(c == '\\' ? escape() : c);
    }
  }

  private static boolean special(char c) {
    return c == '"' || c == '\\' || c < ' ';
  }

  private char escape() {
    char c = peek();
    at++;
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> hex();
      default -> {
        at--;
        throw expected("one of \" \\ / b f n r t u");
      }
    };
  }

  private char hex() {
    int value = 0;
    for (int i = 0; i < 4; i++) {
      int digit = peek() < 128 ? Character.digit(peek(), 16) : -1;
      if (digit < 0) {
        throw expected("four hexadecimal digits");
      }
      value = value * 16 + digit;
      at++;
    }
    return (char) value;
  }

  private JsonValue number() {
    int end = JsonNumbers.end(text, at);
    if (end < 0) {
      throw new JsonException(at, "no number: digits without a leading zero are expected");
    }
    JsonValue value = new JsonValue.Number(text.substring(at, end));
    at = end;
    return value;
  }

  private JsonValue word(String word, JsonValue value) {
    if (!text.startsWith(word, at)) {
      throw expected(word);
    }
    at += word.length();
    return value;
  }

  private void skipSpace() {
    while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  /** The next character; 0 at the end, which no rule accepts. */
  private char peek() {
    return at < text.length() ? text.charAt(at) : 0;
  }

  private void take(char c, String what) {
    if (peek() != c) {
      throw expected(what);
    }
    at++;
  }

  private JsonException expected(String what) {
    String got =
        at < text.length()
            ? (peek() < ' ' ? "\\u%04x".formatted((int) peek()) : "'" + peek() + "'")
            : "the end";
    return new JsonException(at, "expected %s but got %s".formatted(what, got));
  }
}
