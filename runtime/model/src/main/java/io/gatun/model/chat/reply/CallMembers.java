package io.gatun.model.chat.reply;

import io.gatun.model.json.JsonException;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonWriter;
import java.util.Optional;
import java.util.Set;

/**
 * A call as a JSON object, {@code {"name": …, "arguments": {…}}}, while its characters come. The
 * call begins as soon as its name is known.
 */
final class CallMembers {
  private static final Set<String> NAMES = Set.of("name", "tool_name", "function", "function_name");
  private static final Set<String> ARGUMENTS = Set.of("arguments", "parameters", "args");
  private static final Set<String> IDS = Set.of("id", "tool_call_id", "call_id");

  /** What may stand around a call; {@code {"type": "function", "function": {…}}}. */
  private static final Set<String> AROUND = Set.of("function", "tool_call");

  /** What reading a character led to. */
  enum Step {
    WITHIN,
    /** The object is complete, and a call began in it. */
    LAST,
    /** It is no call, or the character, which was not taken, cannot stand there. */
    WRONG
  }

  private enum At {
    OPEN,
    KEY,
    IN_KEY,
    COLON,
    VALUE,
    IN_VALUE,
    BEHIND_VALUE
  }

  private final JsonCalls.Kind kind;
  private At at = At.OPEN;
  private int depth;
  private JsonSpan span = new JsonSpan();
  private final StringBuilder value = new StringBuilder();
  private String key = "";
  private boolean begun;

  /** Whether the value that is read is told while it comes. */
  private boolean streaming;

  private Optional<String> waiting = Optional.empty();
  private String id = "";

  CallMembers(JsonCalls.Kind kind) {
    this.kind = kind;
  }

  /** Whether a call began. */
  boolean begun() {
    return begun;
  }

  Step accept(char c, ReplyScope s) {
    switch (at) {
      case IN_KEY, IN_VALUE -> {
        return inside(c, s);
      }
      default -> {
        return Character.isWhitespace(c) ? Step.WITHIN : between(c, s);
      }
    }
  }

  private Step between(char c, ReplyScope s) {
    switch (at) {
      case OPEN -> {
        depth++;
        at = At.KEY;
        return c == '{' ? Step.WITHIN : Step.WRONG;
      }
      case KEY -> {
        if (c == '}') {
          return closed();
        }
        begin(At.IN_KEY);
        return c == '"' ? inside(c, s) : Step.WRONG;
      }
      case COLON -> {
        at = At.VALUE;
        return c == ':' ? Step.WITHIN : Step.WRONG;
      }
      case VALUE -> {
        if (c == '{' && AROUND.contains(key)) {
          depth++;
          at = At.KEY;
          return Step.WITHIN;
        }
        streaming = begun && c == '{' && holdsArguments();
        begin(At.IN_VALUE);
        return inside(c, s);
      }
      case BEHIND_VALUE -> {
        at = At.KEY;
        return c == ',' ? Step.WITHIN : c == '}' ? closed() : Step.WRONG;
      }
      default -> throw new IllegalStateException("not between values: " + at);
    }
  }

  private void begin(At next) {
    at = next;
    span = new JsonSpan();
    value.setLength(0);
  }

  private Step closed() {
    depth--;
    at = At.BEHIND_VALUE;
    return depth > 0 ? Step.WITHIN : begun ? Step.LAST : Step.WRONG;
  }

  private Step inside(char c, ReplyScope s) {
    String written = span.written(c);
    JsonSpan.Step step = span.accept(c);
    if (step == JsonSpan.Step.WRONG) {
      return Step.WRONG;
    }
    if (step == JsonSpan.Step.BEHIND) {
      return complete(s) ? accept(c, s) : Step.WRONG;
    }
    if (streaming && at == At.IN_VALUE) {
      s.out.arguments(written);
    } else {
      value.append(written);
    }
    return step == JsonSpan.Step.WITHIN || complete(s) ? Step.WITHIN : Step.WRONG;
  }

  /** Takes a complete key or value; false when this is no call. */
  private boolean complete(ReplyScope s) {
    if (at == At.IN_KEY) {
      at = At.COLON;
      key = text();
      return kind == JsonCalls.Kind.NAME_IS_KEY ? begin(key, s) : kind.lax() || expected();
    }
    at = At.BEHIND_VALUE;
    if (holdsArguments()) {
      return arguments(s);
    }
    if (NAMES.contains(key)) {
      return begin(text(), s);
    }
    if (IDS.contains(key)) {
      id = text();
      s.out.id(id);
    }
    return true;
  }

  private boolean expected() {
    return NAMES.contains(key)
        || ARGUMENTS.contains(key)
        || IDS.contains(key)
        || AROUND.contains(key)
        || key.equals("type");
  }

  private boolean holdsArguments() {
    return kind == JsonCalls.Kind.NAME_IS_KEY || ARGUMENTS.contains(key);
  }

  private boolean arguments(ReplyScope s) {
    if (streaming) {
      streaming = false;
    } else if (begun) {
      s.out.arguments(text());
    } else {
      waiting = Optional.of(text());
    }
    return true;
  }

  private boolean begin(String name, ReplyScope s) {
    if (begun || name.isBlank() || (!kind.lax() && !s.knows(name))) {
      return begun; // a second name is left out
    }
    begun = true;
    s.out.beginCall(name);
    s.out.id(id);
    waiting.ifPresent(s.out::arguments);
    return true;
  }

  /** The value: what a string says, and anything else as it is written. */
  private String text() {
    try {
      JsonValue read = JsonReader.read(value.toString());
      return read instanceof JsonValue.Text(String text) ? text : JsonWriter.write(read);
    } catch (JsonException e) {
      return value.toString();
    }
  }
}
