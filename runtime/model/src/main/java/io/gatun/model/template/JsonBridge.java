package io.gatun.model.template;

import io.gatun.model.json.JsonValue;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Between JSON and the values of templates. */
final class JsonBridge {
  private JsonBridge() {}

  static Value value(JsonValue json) {
    return switch (json) {
      case JsonValue.Null _ -> Value.None.NONE;
      case JsonValue.Bool(boolean bool) -> Value.Bool.of(bool);
      case JsonValue.Text(String text) -> new Value.Str(text);
      case JsonValue.Number number ->
          number.integer()
              ? Numbers.bounded(integer(number.text()))
              : new Value.Real(number.nearestDouble());
      case JsonValue.Items(List<JsonValue> items) ->
          Value.Items.list(items.stream().map(JsonBridge::value).toList());
      case JsonValue.Members(Map<String, JsonValue> members) -> {
        Value.Dict dict = new Value.Dict();
        members.forEach((name, member) -> dict.put(name, value(member)));
        yield dict;
      }
    };
  }

  private static BigInteger integer(String text) {
    if (text.length() > 5000) {
      throw new Fault("a number of more than 5000 digits");
    }
    return new BigInteger(text);
  }

  static JsonValue json(Value value, boolean sorted, Budget budget) {
    budget.step();
    budget.enter();
    JsonValue json =
        switch (value) {
          case Value.None _ -> JsonValue.Null.NULL;
          case Value.Bool(boolean bool) -> JsonValue.of(bool);
          case Value.Str(String text, boolean _) -> {
            budget.chars(text.length());
            yield JsonValue.of(text);
          }
          case Value.Int(BigInteger number) -> new JsonValue.Number(number.toString());
          case Value.Real(double number) -> real(number);
          case Value.Items items -> {
            List<JsonValue> values = new ArrayList<>();
            items.values().forEach(item -> values.add(json(item, sorted, budget)));
            yield JsonValue.of(values);
          }
          case Value.Dict dict -> members(dict, sorted, budget);
          default -> throw new Fault(Types.name(value) + " cannot be written as JSON");
        };
    budget.leave();
    return json;
  }

  private static JsonValue real(double number) {
    if (Double.isNaN(number) || Double.isInfinite(number)) {
      throw new Fault("JSON has no number " + number);
    }
    return new JsonValue.Number(Numbers.text(number));
  }

  private static JsonValue members(Value.Dict dict, boolean sorted, Budget budget) {
    List<Value.Dict.Entry> entries = new ArrayList<>(dict.entries());
    if (sorted) {
      entries.sort((a, b) -> Equality.compare(a.key(), b.key(), budget));
    }
    Map<String, JsonValue> members = new LinkedHashMap<>();
    for (Value.Dict.Entry entry : entries) {
      members.put(name(entry.key()), json(entry.value(), sorted, budget));
    }
    return JsonValue.of(members);
  }

  private static String name(Value key) {
    return switch (key) {
      case Value.Str(String text, boolean _) -> text;
      case Value.None _ -> "null";
      case Value.Bool(boolean bool) -> Boolean.toString(bool);
      case Value.Int(BigInteger number) -> number.toString();
      case Value.Real(double number) -> Numbers.text(number);
      default -> throw new Fault("a JSON name must be a string, not " + Types.name(key));
    };
  }
}
