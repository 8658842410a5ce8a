package io.gatun.model.json;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A JSON value. Immutable, equal by content, thread-safe.
 *
 * <p>Members keep the order they were read in, and numbers their exact text: what was read is
 * written again as it was, and no digit is lost on the way.
 *
 * @source RFC 8259
 */
public sealed interface JsonValue {
  /** An object: its members in order. */
  record Members(Map<String, JsonValue> values) implements JsonValue {
    public static final Members EMPTY = new Members(Map.of());

    public Members {
      values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /** The member of this name, if there is one. */
    public Optional<JsonValue> get(String name) {
      return Optional.ofNullable(values.get(name));
    }

    /** The member of this name where it is a string. */
    public Optional<String> text(String name) {
      return values.get(name) instanceof Text(String value) ? Optional.of(value) : Optional.empty();
    }

    /** The same with one member set: in its old place where it was there, last where it was not. */
    public Members with(String name, JsonValue value) {
      Map<String, JsonValue> changed = new LinkedHashMap<>(values);
      changed.put(name, value);
      return new Members(changed);
    }
  }

  /** An array. */
  record Items(List<JsonValue> values) implements JsonValue {
    public static final Items EMPTY = new Items(List.of());

    public Items {
      values = Collections.unmodifiableList(new ArrayList<>(values));
    }
  }

  /** A string, without quotes and escapes. */
  record Text(String value) implements JsonValue {}

  /**
   * A number as it is written, such as {@code -1.50e3}. Two numbers are equal when their texts are.
   *
   * @throws IllegalArgumentException if the text is no JSON number
   */
  record Number(String text) implements JsonValue {
    public Number {
      if (JsonNumbers.end(text, 0) != text.length() || text.isEmpty()) {
        throw new IllegalArgumentException("'" + text + "' is no JSON number");
      }
    }

    public static Number of(long value) {
      return new Number(Long.toString(value));
    }

    /** Whether it is written without point and exponent. */
    public boolean integer() {
      return text.chars().allMatch(c -> c == '-' || (c >= '0' && c <= '9'));
    }

    /** The exact value. An exponent beyond what {@link BigDecimal} knows is an error. */
    public BigDecimal decimal() {
      return new BigDecimal(text);
    }

    /** The nearest double; infinite where the number is too large for one. */
    public double nearestDouble() {
      return Double.parseDouble(text);
    }
  }

  /** {@code true} or {@code false}. */
  record Bool(boolean value) implements JsonValue {}

  /** {@code null}. */
  enum Null implements JsonValue {
    NULL
  }

  static Text of(String value) {
    return new Text(value);
  }

  static Number of(long value) {
    return Number.of(value);
  }

  static Bool of(boolean value) {
    return new Bool(value);
  }

  static Items of(List<? extends JsonValue> values) {
    return new Items(List.copyOf(values));
  }

  static Members of(Map<String, ? extends JsonValue> values) {
    return new Members(new LinkedHashMap<>(values));
  }
}
