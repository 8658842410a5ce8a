package io.gatun.extract;

import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Items;
import io.gatun.model.json.JsonValue.Members;
import io.gatun.model.json.JsonValue.Text;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** Makes objects of a type from JSON that is valid by its {@link TypeSchema}. */
public final class TypeReader {
  private TypeReader() {}

  /**
   * Reads an object.
   *
   * @throws IllegalArgumentException when the text is no such JSON, naming the place; also with
   *     what the record's own constructor throws as its cause
   */
  public static <T> T read(Class<T> type, String json) {
    return type.cast(read(type, JsonReader.read(json), type.getSimpleName()));
  }

  private static Object read(Type type, JsonValue json, String place) {
    return switch (type) {
      case Class<?> c -> readClass(c, json, place);
      case ParameterizedType p -> parameterized(p, json, place);
      default -> throw wrong(type, json, place);
    };
  }

  private static Object parameterized(ParameterizedType type, JsonValue json, String place) {
    Type[] arguments = type.getActualTypeArguments();
    Class<?> raw = (Class<?>) type.getRawType();
    if (raw == Optional.class) {
      return Optional.of(read(arguments[0], json, place));
    }
    if (json instanceof Items(List<JsonValue> items) && (raw == List.class || raw == Set.class)) {
      List<Object> read = new ArrayList<>();
      for (JsonValue item : items) {
        read.add(read(arguments[0], item, place + "[" + read.size() + "]"));
      }
      return raw == List.class ? List.copyOf(read) : new LinkedHashSet<>(read);
    }
    if (json instanceof Members(Map<String, JsonValue> members) && raw == Map.class) {
      Map<String, Object> read = new LinkedHashMap<>();
      members.forEach(
          (name, value) -> read.put(name, read(arguments[1], value, place + "." + name)));
      return read;
    }
    throw wrong(type, json, place);
  }

  private static Object readClass(Class<?> type, JsonValue json, String place) {
    return switch (json) {
      case JsonValue.Number number -> number(type, number, place);
      case JsonValue.Bool(boolean value) when type == boolean.class || type == Boolean.class ->
          value;
      case Text(String value) -> text(type, value, json, place);
      case Items(List<JsonValue> items) when type.isArray() -> {
        Object array = Array.newInstance(type.getComponentType(), items.size());
        for (int i = 0; i < items.size(); i++) {
          Array.set(array, i, read(type.getComponentType(), items.get(i), place + "[" + i + "]"));
        }
        yield array;
      }
      case Members members when type.isRecord() -> record(type, members, place);
      case Members members when type.isSealed() -> {
        String kind = members.text(TypeSchema.KIND).orElse("");
        Class<?> chosen =
            TypeSchema.records(type).stream()
                .filter(r -> r.getSimpleName().equals(kind))
                .findFirst()
                .orElseThrow(() -> wrong(type, json, place));
        yield record(chosen, members, place);
      }
      default -> throw wrong(type, json, place);
    };
  }

  private static Object number(Class<?> type, JsonValue.Number json, String place) {
    BigDecimal value = json.decimal();
    try {
      if (type == int.class || type == Integer.class) {
        return value.intValueExact();
      } else if (type == long.class || type == Long.class) {
        return value.longValueExact();
      } else if (type == double.class || type == Double.class) {
        return value.doubleValue();
      } else if (type == float.class || type == Float.class) {
        return value.floatValue();
      } else if (type == short.class || type == Short.class) {
        return value.shortValueExact();
      } else if (type == byte.class || type == Byte.class) {
        return value.byteValueExact();
      } else if (type == BigInteger.class) {
        return value.toBigIntegerExact();
      } else if (type == BigDecimal.class) {
        return value;
      }
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "%s: %s is no %s".formatted(place, json.text(), type.getSimpleName()), e);
    }
    throw wrong(type, json, place);
  }

  private static Object text(Class<?> type, String value, JsonValue json, String place) {
    try {
      if (type == String.class) {
        return value;
      } else if (type == LocalDate.class) {
        return LocalDate.parse(value);
      } else if (type == OffsetDateTime.class) {
        return OffsetDateTime.parse(value);
      } else if (type == UUID.class) {
        return UUID.fromString(value);
      }
    } catch (RuntimeException e) {
      throw new IllegalArgumentException(
          "%s: \"%s\" is no %s".formatted(place, value, type.getSimpleName()), e);
    }
    if (type.isEnum()) {
      for (Object constant : type.getEnumConstants()) {
        if (((Enum<?>) constant).name().equals(value)) {
          return constant;
        }
      }
    }
    throw wrong(type, json, place);
  }

  private static Object record(Class<?> type, Members members, String place) {
    RecordComponent[] components = type.getRecordComponents();
    Class<?>[] types = new Class<?>[components.length];
    Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      String name = components[i].getName();
      types[i] = components[i].getType();
      Optional<JsonValue> value = members.get(name);
      if (value.isEmpty() && types[i] != Optional.class) {
        throw new IllegalArgumentException("%s: %s is missing".formatted(place, name));
      }
      Type generic = components[i].getGenericType();
      values[i] =
          value.isPresent() ? read(generic, value.get(), place + "." + name) : Optional.empty();
    }
    try {
      Constructor<?> constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      throw new IllegalArgumentException(
          "%s: the record refuses its values: %s".formatted(place, e.getCause()), e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException("%s: %s cannot be made".formatted(place, type), e);
    }
  }

  private static IllegalArgumentException wrong(Type type, JsonValue json, String place) {
    return new IllegalArgumentException(
        "%s: %s is no %s".formatted(place, json, type.getTypeName()));
  }
}
