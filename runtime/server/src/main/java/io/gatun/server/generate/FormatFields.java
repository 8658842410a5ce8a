package io.gatun.server.generate;

import io.gatun.engine.grammar.Grammar;
import io.gatun.engine.grammar.GrammarException;
import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonWriter;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.Fields;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Reads what a text has to look like. Whatever is asked for is enforced token by token. */
public final class FormatFields {
  private static final int KEPT_MAX = 64;
  private static final int KEPT_LENGTH_MAX = 1 << 16;

  /** Grammars of late by their schemas, so that engines need not compile equal ones anew. */
  private static final Map<String, Grammar> KEPT = new LinkedHashMap<>(16, 0.75f, true);

  private FormatFields() {}

  /** {@code response_format} of chat completions, or a {@code grammar} in llama.cpp's notation. */
  public static Optional<Grammar> read(Fields fields) {
    Optional<Grammar> format =
        fields.object("response_format").flatMap(f -> format(f, f.object("json_schema")));
    Optional<String> gbnf = fields.text("grammar");
    if (format.isPresent() && gbnf.isPresent()) {
      throw ApiException.field(fields.path("grammar"), "cannot be asked for with response_format");
    }
    return gbnf.isPresent()
        ? Optional.of(compiled(fields.path("grammar"), () -> Grammar.gbnf(gbnf.get())))
        : format;
  }

  /**
   * One format.
   *
   * @param inner where its schema is: {@code json_schema} in chat completions, the format itself in
   *     responses
   */
  public static Optional<Grammar> format(Fields format, Optional<Fields> inner) {
    String type = format.requiredText("type");
    Optional<Grammar> grammar =
        switch (type) {
          case "text" -> Optional.empty();
          case "json_object" -> Optional.of(anyObject());
          case "json_schema" ->
              Optional.of(schema(inner.orElseThrow(() -> format.missing("json_schema"))));
          default ->
              throw ApiException.field(
                  format.path("type"), "must be text, json_object or json_schema");
        };
    format.end();
    return grammar;
  }

  /** Any JSON object. */
  public static Grammar anyObject() {
    return schema("", JsonValue.Members.EMPTY.with("type", JsonValue.of("object")));
  }

  private static Grammar schema(Fields fields) {
    fields.ignore("name", "description", "strict", "type");
    JsonValue schema = fields.any("schema").orElseThrow(() -> fields.missing("schema"));
    fields.end();
    return schema(fields.path("schema"), schema);
  }

  /** The grammar of a JSON schema in a request. */
  public static Grammar schema(String path, JsonValue schema) {
    String key = JsonWriter.write(schema);
    synchronized (KEPT) {
      Grammar known = KEPT.get(key);
      if (known != null) {
        return known;
      }
    }
    Grammar made = compiled(path, () -> Grammar.jsonSchema(schema));
    if (key.length() <= KEPT_LENGTH_MAX) {
      keep(key, made);
    }
    return made;
  }

  private static void keep(String key, Grammar made) {
    synchronized (KEPT) {
      KEPT.put(key, made);
      if (KEPT.size() > KEPT_MAX) {
        KEPT.remove(KEPT.keySet().iterator().next());
      }
    }
  }

  static Grammar compiled(String path, Supplier<Grammar> grammar) {
    try {
      return grammar.get();
    } catch (GrammarException | io.gatun.model.json.JsonException e) {
      throw ApiException.field(path, String.valueOf(e.getMessage()));
    }
  }
}
