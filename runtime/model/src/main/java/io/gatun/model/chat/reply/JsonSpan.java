package io.gatun.model.chat.reply;

/**
 * Tells where a JSON value ends while its characters come one by one. It knows brackets and
 * strings; whether the value is good JSON, its reader tells later.
 */
final class JsonSpan {
  /** What a character was. */
  enum Step {
    /** Of the value, which goes on. */
    WITHIN,
    /** The last one of the value. */
    LAST,
    /** The first one behind it. */
    BEHIND,
    /** None that can stand there in JSON. */
    WRONG
  }

  private int depth;
  private boolean begun;
  private boolean string;
  private boolean escaped;

  Step accept(char c) {
    if (string) {
      return inString(c);
    }
    if (!begun || depth > 0) {
      begun = true;
      return outside(c);
    }
    return inScalar(c) ? Step.WITHIN : Step.BEHIND;
  }

  /** How a character that was accepted is written: as it is, but for line breaks in strings. */
  String written(char c) {
    return string && c < ' ' ? "\\u%04x".formatted((int) c) : String.valueOf(c);
  }

  private Step inString(char c) {
    if (escaped) {
      escaped = false;
    } else if (c == '\\') {
      escaped = true;
    } else if (c == '"') {
      string = false;
      return depth == 0 ? Step.LAST : Step.WITHIN;
    }
    return Step.WITHIN;
  }

  private Step outside(char c) {
    switch (c) {
      case '"' -> {
        string = true;
        return Step.WITHIN;
      }
      case '{', '[' -> {
        depth++;
        return Step.WITHIN;
      }
      case '}', ']' -> {
        depth--;
        return depth < 0 ? Step.WRONG : depth == 0 ? Step.LAST : Step.WITHIN;
      }
      case ',', ':', ' ', '\t', '\n', '\r' -> {
        return depth > 0 ? Step.WITHIN : Step.WRONG;
      }
      default -> {
        return inScalar(c) ? Step.WITHIN : Step.WRONG;
      }
    }
  }

  private static boolean inScalar(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || "+-.".indexOf(c) >= 0;
  }
}
