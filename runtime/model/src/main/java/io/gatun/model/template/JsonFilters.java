package io.gatun.model.template;

import io.gatun.model.json.JsonException;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonStyle;
import io.gatun.model.json.JsonWriter;
import java.util.List;
import java.util.Map;

/** JSON out of values, and values out of JSON. */
final class JsonFilters {
  static final Map<String, Builtin> ALL =
      Map.of(
          "tojson",
          Builtin.of(JsonFilters::write, "ensure_ascii", "indent", "separators", "sort_keys"),
          "from_json",
          Builtin.of(JsonFilters::read));

  private JsonFilters() {}

  private static Value write(Value self, Arguments a, Evaluator e) {
    int indent = a.integer("indent", -1);
    String item = indent < 0 ? ", " : ",";
    String name = ": ";
    if (a.given("separators").isPresent()) {
      List<Value> separators = e.items(a.need("separators"));
      if (separators.size() != 2) {
        throw new Fault("the argument 'separators' should be a pair");
      }
      item = Printer.text(separators.get(0), e.budget());
      name = Printer.text(separators.get(1), e.budget());
    }
    if (indent > 64 || item.length() > 64 || name.length() > 64) {
      throw new Fault("an indent or separator of more than 64 characters");
    }
    JsonStyle style = new JsonStyle(item, name, indent, a.flag("ensure_ascii", false));
    String text =
        JsonWriter.write(JsonBridge.json(self, a.flag("sort_keys", false), e.budget()), style);
    e.budget().chars(text.length());
    return new Value.Str(text);
  }

  /** Not one of Jinja's; some templates for other engines ask for it. */
  private static Value read(Value self, Arguments a, Evaluator e) {
    String text = Printer.text(self, e.budget());
    e.budget().items(text.length() / 2);
    try {
      return JsonBridge.value(JsonReader.read(text, 100, Integer.MAX_VALUE));
    } catch (JsonException wrong) {
      throw new Fault("from_json: " + wrong.getMessage());
    }
  }
}
