package io.gatun.server.http;

import io.gatun.model.json.JsonValue;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Builds JSON objects for answers, member by member. */
public final class Json {
  /** What stands for minus infinity and for what is not known, as OpenAI's interface has it. */
  private static final double LEAST = -9999;

  private final Map<String, JsonValue> members = new LinkedHashMap<>();

  private Json() {}

  public static Json object() {
    return new Json();
  }

  public Json put(String name, JsonValue value) {
    members.put(name, value);
    return this;
  }

  public Json put(String name, String text) {
    return put(name, JsonValue.of(text));
  }

  public Json put(String name, long number) {
    return put(name, JsonValue.of(number));
  }

  public Json put(String name, double number) {
    return put(name, number(number));
  }

  public Json put(String name, boolean bool) {
    return put(name, JsonValue.of(bool));
  }

  public Json put(String name, Json inner) {
    return put(name, inner.build());
  }

  public Json put(String name, List<? extends JsonValue> items) {
    return put(name, JsonValue.of(items));
  }

  public Json putNull(String name) {
    return put(name, JsonValue.Null.NULL);
  }

  /** The text, or null. */
  public Json put(String name, Optional<String> text) {
    return put(name, text.<JsonValue>map(JsonValue::of).orElse(JsonValue.Null.NULL));
  }

  /** All members of another object. */
  public Json putAll(JsonValue.Members others) {
    members.putAll(others.values());
    return this;
  }

  public JsonValue.Members build() {
    return new JsonValue.Members(members);
  }

  /** A number; what JSON has no number for is a very small one. */
  public static JsonValue number(double value) {
    return new JsonValue.Number(Double.toString(Double.isFinite(value) ? value : LEAST));
  }

  /** A number of 32 bits, with no more digits than that has. */
  public static JsonValue number(float value) {
    return new JsonValue.Number(Float.isFinite(value) ? Float.toString(value) : "-9999.0");
  }
}
