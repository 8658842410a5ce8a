package io.gatun.model.gguf;

import io.gatun.model.ModelFormatException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The key-value part of a GGUF file, in the file's order. A value; thread-safe. */
public final class GgufMetadata {
  /** The most entries of arrays that are read as a whole. */
  private static final int SHORT_MAX = 1 << 16;

  private final String file;
  private final Map<String, GgufValue> values;

  public GgufMetadata(String file, Map<String, GgufValue> values) {
    this.file = file;
    this.values = Collections.unmodifiableMap(values);
  }

  /** All keys with their values. */
  public Map<String, GgufValue> values() {
    return values;
  }

  public boolean has(String key) {
    return values.containsKey(key);
  }

  /** The name of the file, for messages. */
  public String file() {
    return file;
  }

  public Optional<String> text(String key) {
    return find(key, "a string", v -> v instanceof GgufValue.Text(String text) ? text : null);
  }

  public Optional<Long> integer(String key) {
    return find(
        key,
        "an integer",
        v -> v instanceof GgufValue.Int(int _, long value) ? (Long) value : null);
  }

  public Optional<Double> number(String key) {
    return find(
        key,
        "a number",
        v ->
            switch (v) {
              case GgufValue.Float(int _, double value) -> (Double) value;
              case GgufValue.Int(int _, long value) -> (Double) (double) value;
              default -> null;
            });
  }

  public Optional<Boolean> flag(String key) {
    return find(
        key, "a boolean", v -> v instanceof GgufValue.Bool(boolean value) ? (Boolean) value : null);
  }

  /** An array of strings. */
  public Optional<List<String>> texts(String key) {
    return find(
        key,
        "an array of strings",
        v ->
            switch (v) {
              case GgufValue.Texts(List<String> texts) -> texts;
              default -> null;
            });
  }

  /**
   * An array of integers or booleans, one for each layer or the like, or one integer as an array of
   * length 1.
   */
  public Optional<long[]> integers(String key) {
    return find(
        key,
        "an integer or a short array of integers",
        v ->
            switch (v) {
              case GgufValue.Int(int _, long value) -> new long[] {value};
              case GgufValue.Ints(int _, PackedNumbers array) when array.length() <= SHORT_MAX ->
                  array.integers();
              default -> null;
            });
  }

  /** The length of an array value; empty when the key is missing or no array. */
  public Optional<Integer> arrayLength(String key) {
    return Optional.ofNullable(values.get(key))
        .flatMap(v ->
            switch (v) {
              case GgufValue.Ints a -> Optional.of(a.values().length());
              case GgufValue.Floats a -> Optional.of(a.values().length());
              case GgufValue.Texts a -> Optional.of(a.values().size());
              case GgufValue.Nested a -> Optional.of(a.values().size());
              default -> Optional.empty();
            });
  }

  /** What a caller throws when a key that must be there is not. */
  public ModelFormatException missing(String key) {
    return new ModelFormatException("%s: the key %s is missing".formatted(file, key));
  }

  private <T> Optional<T> find(
      String key, String expected, Function<GgufValue, @Nullable T> reader) {
    GgufValue value = values.get(key);
    if (value == null) {
      return Optional.empty();
    }
    T read = reader.apply(value);
    if (read == null) {
      throw new ModelFormatException(
          "%s: the key %s should be %s but is %s"
              .formatted(file, key, expected, value.getClass().getSimpleName()));
    }
    return Optional.of(read);
  }
}
