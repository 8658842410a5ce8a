package io.gatun.server.http;

import io.gatun.model.json.JsonValue;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The fields of an object in a request. Each is read by name, type and range; what is wrong is an
 * {@link ApiException} that names the field, and so is, at the {@link #end}, what nobody asked for.
 * A field that is null counts as absent.
 */
public final class Fields {
  /** Whole numbers below have a double of their own. */
  private static final double EXACT_MAX = 0x1p53;

  private final JsonValue.Members members;
  private final String path;
  private final Set<String> known = new HashSet<>();

  private Fields(JsonValue.Members members, String path) {
    this.members = members;
    this.path = path;
  }

  /** The fields of a whole request. */
  public static Fields of(JsonValue body) {
    if (body instanceof JsonValue.Members members) {
      return new Fields(members, "");
    }
    throw ApiException.of(
        ApiException.Reason.INVALID, "the body must be a JSON object, but is " + kind(body));
  }

  /** The fields of an object inside. */
  public static Fields of(JsonValue value, String path) {
    if (value instanceof JsonValue.Members members) {
      return new Fields(members, path);
    }
    throw wrong(path, "an object", value);
  }

  /** Where a field is in the request. */
  public String path(String name) {
    return path.isEmpty() ? name : path + "." + name;
  }

  /** A field of any type. */
  public Optional<JsonValue> any(String name) {
    known.add(name);
    return members.get(name).filter(v -> v != JsonValue.Null.NULL);
  }

  public Optional<String> text(String name) {
    return any(name).map(v -> text(v, path(name)));
  }

  /** A text that has to be there. */
  public String requiredText(String name) {
    return text(name).orElseThrow(() -> missing(name));
  }

  public Optional<Boolean> bool(String name) {
    return any(name)
        .map(value -> {
          if (value instanceof JsonValue.Bool(boolean bool)) {
            return bool;
          }
          throw wrong(path(name), "true or false", value);
        });
  }

  /** Whether a field is there and true. */
  public boolean flag(String name) {
    return bool(name).orElse(false);
  }

  /** A whole number in a range, ends included. */
  public OptionalInt integer(String name, int low, int high) {
    OptionalLong value = longInteger(name, low, high);
    return value.isPresent() ? OptionalInt.of((int) value.getAsLong()) : OptionalInt.empty();
  }

  /** {@link #integer} of 64 bits. */
  public OptionalLong longInteger(String name, long low, long high) {
    Optional<JsonValue> value = any(name);
    return value.isPresent()
        ? OptionalLong.of(integer(value.get(), path(name), low, high))
        : OptionalLong.empty();
  }

  /** A number in a range, ends included. */
  public OptionalDouble number(String name, double low, double high) {
    Optional<JsonValue> value = any(name);
    return value.isPresent()
        ? OptionalDouble.of(number(value.get(), path(name), low, high))
        : OptionalDouble.empty();
  }

  public Optional<Fields> object(String name) {
    return any(name).map(v -> of(v, path(name)));
  }

  /** An object whose names are the client's own. */
  public Optional<JsonValue.Members> members(String name) {
    return any(name)
        .map(value -> {
          if (value instanceof JsonValue.Members found) {
            return found;
          }
          throw wrong(path(name), "an object", value);
        });
  }

  /** The elements of an array; none when it is absent. */
  public List<JsonValue> items(String name, int most) {
    return any(name).map(v -> items(v, path(name), most)).orElse(List.of());
  }

  /** An array of texts, or one text alone. */
  public List<String> texts(String name, int most) {
    Optional<JsonValue> value = any(name);
    if (value.isPresent() && value.get() instanceof JsonValue.Text(String alone)) {
      return List.of(alone);
    }
    List<String> texts = new ArrayList<>();
    for (JsonValue item : items(name, most)) {
      texts.add(text(item, "%s[%d]".formatted(path(name), texts.size())));
    }
    return texts;
  }

  /** Fields that may be there and change nothing here. */
  public Fields ignore(String... names) {
    known.addAll(List.of(names));
    return this;
  }

  /** Fields that may only be there with the value that says nothing. */
  public Fields only(String name, JsonValue neutral, String why) {
    any(name)
        .filter(v -> !v.equals(neutral))
        .ifPresent(v -> {
          throw ApiException.field(path(name), why);
        });
    return this;
  }

  /** Refuses fields that nobody has asked for. */
  public void end() {
    for (String name : members.values().keySet()) {
      if (!known.contains(name)) {
        throw ApiException.field(path(name), "there is no such field").withCode("unknown_field");
      }
    }
  }

  /** What to throw when a field is absent. */
  public ApiException missing(String name) {
    return ApiException.field(path(name), "is missing").withCode("missing_field");
  }

  /** A value that must be a text. */
  public static String text(JsonValue value, String path) {
    if (value instanceof JsonValue.Text(String text)) {
      return text;
    }
    throw wrong(path, "a string", value);
  }

  /** A value that must be an array. */
  public static List<JsonValue> items(JsonValue value, String path, int most) {
    if (!(value instanceof JsonValue.Items(List<JsonValue> items))) {
      throw wrong(path, "an array", value);
    }
    if (items.size() > most) {
      throw ApiException.field(
          path, "must have at most %d elements, but has %d".formatted(most, items.size()));
    }
    return items;
  }

  /** A value that must be a whole number in a range. */
  public static long integer(JsonValue value, String path, long low, long high) {
    if (!(value instanceof JsonValue.Number number)) {
      throw wrong(path, "a whole number", value);
    }
    long whole = whole(number, path, low, high);
    if (whole < low || whole > high) {
      throw outside(path, Long.toString(low), Long.toString(high), number.text());
    }
    return whole;
  }

  private static long whole(JsonValue.Number number, String path, long low, long high) {
    double nearest = number.nearestDouble();
    if (!number.integer() && nearest == Math.rint(nearest) && Math.abs(nearest) < EXACT_MAX) {
      return (long) nearest; // 3.0 and 1e2 are whole numbers too
    }
    if (!number.integer()) {
      throw ApiException.field(path, "must be a whole number");
    }
    try {
      return Long.parseLong(number.text());
    } catch (NumberFormatException e) {
      throw outside(path, Long.toString(low), Long.toString(high), number.text());
    }
  }

  /** A value that must be a number in a range. */
  public static double number(JsonValue value, String path, double low, double high) {
    if (!(value instanceof JsonValue.Number number)) {
      throw wrong(path, "a number", value);
    }
    double nearest = number.nearestDouble();
    if (nearest < low || nearest > high) {
      throw outside(path, plain(low), plain(high), number.text());
    }
    return nearest;
  }

  private static ApiException outside(String path, String low, String high, String got) {
    String shown = got.length() > 40 ? got.substring(0, 40) + "…" : got;
    return ApiException.field(path, "must be %s to %s, got %s".formatted(low, high, shown));
  }

  private static String plain(double bound) {
    return bound == Math.rint(bound) && Math.abs(bound) < 1e18
        ? Long.toString((long) bound)
        : Double.toString(bound);
  }

  /** What to throw when a value is of another type than it must be. */
  public static ApiException wrong(String path, String expected, JsonValue got) {
    return ApiException.field(path, "must be %s, but is %s".formatted(expected, kind(got)));
  }

  private static String kind(JsonValue value) {
    return switch (value) {
      case JsonValue.Members _ -> "an object";
      case JsonValue.Items _ -> "an array";
      case JsonValue.Text _ -> "a string";
      case JsonValue.Number _ -> "a number";
      case JsonValue.Bool _ -> "true or false";
      case JsonValue.Null _ -> "null";
    };
  }
}
