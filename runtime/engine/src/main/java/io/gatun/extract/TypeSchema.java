package io.gatun.extract;

import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Items;
import io.gatun.model.json.JsonValue.Members;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * The JSON schema of a Java type: records, enums, sealed interfaces of records, and what they are
 * made of. {@link TypeReader} reads what is valid by it.
 *
 * <table>
 * <caption>Types and their JSON</caption>
 * <tr><td>record</td><td>object with every component; an {@code Optional} one may lack</td></tr>
 * <tr><td>enum</td><td>its constants' names</td></tr>
 * <tr><td>sealed interface</td><td>one of its records, told apart by a property "type"</td></tr>
 * <tr><td>List, Set, array</td><td>array</td></tr>
 * <tr><td>Map with String keys</td><td>object</td></tr>
 * <tr><td>numbers, boolean, String</td><td>the same; whole numbers within their range</td></tr>
 * <tr><td>LocalDate, OffsetDateTime, UUID</td><td>string of that format</td></tr>
 * </table>
 */
public final class TypeSchema {
  /** The property that tells records of a sealed interface apart. */
  static final String KIND = "type";

  private final Map<String, JsonValue> definitions = new LinkedHashMap<>();

  private TypeSchema() {}

  /**
   * The schema of a type.
   *
   * @throws IllegalArgumentException naming the component whose type has none
   */
  public static Members of(Class<?> type) {
    TypeSchema made = new TypeSchema();
    JsonValue root = made.schema(type, type.getSimpleName());
    Map<String, JsonValue> whole = new LinkedHashMap<>(((Members) root).values());
    if (!made.definitions.isEmpty()) {
      whole.put("$defs", new Members(made.definitions));
    }
    return new Members(whole);
  }

  private JsonValue schema(Type type, String place) {
    return switch (type) {
      case Class<?> c -> schema(c, place);
      case ParameterizedType p -> parameterized(p, place);
      default -> throw unsupported(type, place);
    };
  }

  private JsonValue parameterized(ParameterizedType type, String place) {
    Class<?> raw = (Class<?>) type.getRawType();
    Type[] arguments = type.getActualTypeArguments();
    if (raw == Optional.class) {
      return schema(arguments[0], place);
    }
    if (raw == List.class || raw == Set.class) {
      return object("type", text("array"), "items", schema(arguments[0], place + "[]"));
    }
    if (raw == Map.class && arguments[0] == String.class) {
      return object(
          "type", text("object"), "additionalProperties", schema(arguments[1], place + "{}"));
    }
    throw unsupported(type, place);
  }

  private JsonValue schema(Class<?> type, String place) {
    if (type == String.class) {
      return object("type", text("string"));
    }
    if (type == boolean.class || type == Boolean.class) {
      return object("type", text("boolean"));
    }
    if (type == double.class
        || type == Double.class
        || type == float.class
        || type == Float.class
        || type == BigDecimal.class) {
      return object("type", text("number"));
    }
    Optional<long[]> range = wholeRange(type);
    if (range.isPresent()) {
      return object(
          "type", text("integer"),
          "minimum", JsonValue.of(range.get()[0]),
          "maximum", JsonValue.of(range.get()[1]));
    }
    if (type == long.class || type == Long.class || type == BigInteger.class) {
      return object("type", text("integer"));
    }
    Optional<String> format = format(type);
    if (format.isPresent()) {
      return object("type", text("string"), "format", text(format.get()));
    }
    if (type.isArray()) {
      return object("type", text("array"), "items", schema(type.getComponentType(), place + "[]"));
    }
    if (type.isEnum()) {
      List<JsonValue> names = new ArrayList<>();
      for (Object constant : type.getEnumConstants()) {
        names.add(text(((Enum<?>) constant).name()));
      }
      return object("type", text("string"), "enum", new Items(names));
    }
    if (type.isRecord() || type.isSealed()) {
      return defined(type, place);
    }
    throw unsupported(type, place);
  }

  /** Each record is there once, so that it may contain itself. */
  private JsonValue defined(Class<?> type, String place) {
    String name = type.getName().substring(type.getPackageName().length()).replace(".", "");
    if (definitions.putIfAbsent(name, JsonValue.Null.NULL) == null) {
      definitions.put(
          name, type.isRecord() ? record(type, Optional.empty(), place) : sealed(type, place));
    }
    return object("$ref", text("#/$defs/" + name));
  }

  private JsonValue record(Class<?> type, Optional<String> kind, String place) {
    Map<String, JsonValue> properties = new LinkedHashMap<>();
    List<JsonValue> required = new ArrayList<>();
    kind.ifPresent(k -> {
      properties.put(KIND, object("const", text(k)));
      required.add(text(KIND));
    });
    for (RecordComponent component : type.getRecordComponents()) {
      String name = component.getName();
      if (properties.put(name, schema(component.getGenericType(), place + "." + name)) != null) {
        throw new IllegalArgumentException(
            "%s.%s: records of a sealed interface cannot have a component of this name"
                .formatted(place, name));
      }
      if (component.getType() != Optional.class) {
        required.add(text(name));
      }
    }
    return object(
        "type",
        text("object"),
        "properties",
        new Members(properties),
        "required",
        new Items(required),
        "additionalProperties",
        JsonValue.of(false));
  }

  private JsonValue sealed(Class<?> type, String place) {
    List<JsonValue> options = new ArrayList<>();
    for (Class<?> permitted : records(type)) {
      options.add(
          record(permitted, Optional.of(permitted.getSimpleName()), permitted.getSimpleName()));
    }
    if (options.isEmpty()) {
      throw unsupported(type, place);
    }
    return object("anyOf", new Items(options));
  }

  /** All records of a sealed interface, those of sealed interfaces below it too. */
  static List<Class<?>> records(Class<?> type) {
    List<Class<?>> all = new ArrayList<>();
    for (Class<?> permitted : type.getPermittedSubclasses()) {
      if (permitted.isRecord()) {
        all.add(permitted);
      } else if (permitted.isSealed()) {
        all.addAll(records(permitted));
      } else {
        throw unsupported(permitted, type.getSimpleName());
      }
    }
    return all;
  }

  /** The least and the largest value of types that need the bounds said. */
  private static Optional<long[]> wholeRange(Class<?> type) {
    if (type == int.class || type == Integer.class) {
      return Optional.of(new long[] {Integer.MIN_VALUE, Integer.MAX_VALUE});
    }
    if (type == short.class || type == Short.class) {
      return Optional.of(new long[] {Short.MIN_VALUE, Short.MAX_VALUE});
    }
    if (type == byte.class || type == Byte.class) {
      return Optional.of(new long[] {Byte.MIN_VALUE, Byte.MAX_VALUE});
    }
    return Optional.empty();
  }

  private static Optional<String> format(Class<?> type) {
    if (type == LocalDate.class) {
      return Optional.of("date");
    }
    if (type == OffsetDateTime.class) {
      return Optional.of("date-time");
    }
    return type == UUID.class ? Optional.of("uuid") : Optional.empty();
  }

  private static Members object(Object... pairs) {
    Map<String, JsonValue> members = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      members.put((String) pairs[i], (JsonValue) pairs[i + 1]);
    }
    return new Members(members);
  }

  private static JsonValue text(String value) {
    return JsonValue.of(value);
  }

  private static IllegalArgumentException unsupported(Type type, String place) {
    return new IllegalArgumentException(
        "%s: %s has no JSON schema; records, enums, sealed interfaces of records, lists, sets, maps, numbers, strings, dates and UUIDs have"
            .formatted(place, type.getTypeName()));
  }
}
