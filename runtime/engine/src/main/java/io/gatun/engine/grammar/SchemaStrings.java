package io.gatun.engine.grammar;

import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Members;
import io.gatun.model.json.JsonValue.Text;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Strings: by length, pattern or format. */
final class SchemaStrings {
  private static final String TIME =
      "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";
  private static final String BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
  private static final String LABEL = "[a-zA-Z0-9]([a-zA-Z0-9-]{0,20}[a-zA-Z0-9])?";

  /** Formats whose texts are a regular language, here at most a part of it. */
  private static final Map<String, String> FORMATS =
      new TreeMap<>(
          Map.of(
              "date",
              // The 29th to 31st only of months that have them; no 29th of February.
              "[0-9]{4}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)",
              "time",
              TIME,
              "uuid",
              "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
              "ipv4",
              BYTE + "(\\." + BYTE + "){3}",
              "hostname",
              LABEL + "(\\." + LABEL + "){0,8}",
              "email",
              "[a-zA-Z0-9_+-]{1,30}(\\.[a-zA-Z0-9_+-]{1,30}){0,4}@"
                  + LABEL
                  + "(\\."
                  + LABEL
                  + "){1,4}",
              "duration",
              "P([0-9]{1,6}W|[0-9]{1,6}D(T[0-9]{1,6}[HMS])?|T[0-9]{1,6}[HMS])"));

  private SchemaStrings() {}

  static Expr string(Members schema, String path) {
    int min = SchemaKeywords.count(schema, "minLength", path).orElse(0);
    int max = SchemaKeywords.count(schema, "maxLength", path).orElse(Expr.Repeat.UNBOUNDED);
    Optional<JsonValue> pattern = schema.get("pattern");
    Optional<JsonValue> format = schema.get("format");
    boolean lengths = min > 0 || max != Expr.Repeat.UNBOUNDED;
    if ((pattern.isPresent() && format.isPresent()) || (lengths && format.isPresent())) {
      throw new GrammarException(
          path + ": format together with pattern or length is not supported");
    }
    if (pattern.isPresent() && lengths) {
      throw new GrammarException(path + ": pattern together with length is not supported");
    }
    if (pattern.isPresent()) {
      return pattern(pattern.get(), path);
    }
    if (format.isPresent()) {
      return format(format.get(), path);
    }
    if (max < min) {
      throw new GrammarException(
          "%s: minLength %d is above maxLength %d".formatted(path, min, max));
    }
    return lengths
        ? JsonText.quoted(new Expr.Repeat(JsonText.CHARACTER, min, max))
        : JsonText.STRING;
  }

  private static Expr pattern(JsonValue value, String path) {
    if (!(value instanceof Text(String pattern))) {
      throw new GrammarException(path + ": pattern must be a string");
    }
    try {
      return JsonText.quoted(new RegexParser(pattern, JsonText::character).parseWithin());
    } catch (GrammarException e) {
      throw new GrammarException("%s: %s in %s".formatted(path, e.getMessage(), pattern));
    }
  }

  private static Expr format(JsonValue value, String path) {
    String name = value instanceof Text(String text) ? text : value.toString();
    String dateTime = FORMATS.get("date") + "T" + TIME;
    String regex = name.equals("date-time") ? dateTime : FORMATS.get(name);
    if (regex == null) {
      throw new GrammarException(
          "%s: format %s is not supported; date-time, %s are"
              .formatted(path, name, String.join(", ", FORMATS.keySet())));
    }
    return JsonText.quoted(new RegexParser(regex).parseWhole());
  }
}
