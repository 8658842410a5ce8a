package io.gatun.engine.grammar;

import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import java.util.List;
import java.util.Map;

/**
 * What a completion may look like: a context-free grammar over text. A value; compiled when a
 * request first uses it.
 *
 * <p>Fails closed: whatever of a grammar, pattern or schema is not understood is a {@link
 * GrammarException} that names it.
 */
public final class Grammar {
  private final Map<String, Expr> rules;
  private final String root;

  Grammar(Map<String, Expr> rules, String root) {
    this.rules = Map.copyOf(rules);
    this.root = root;
    GrammarCheck.require(this.rules, root);
  }

  /**
   * A grammar in llama.cpp's notation; its first rule is named {@code root}.
   *
   * @throws GrammarException with line and column
   */
  public static Grammar gbnf(String text) {
    return gbnf(text, "root");
  }

  /** {@link #gbnf(String)} with another first rule. */
  public static Grammar gbnf(String text, String root) {
    return new Grammar(new GbnfParser(text).parse(), root);
  }

  /**
   * JSON that is valid by a schema (drafts 7 and 2020-12), with properties in the schema's order.
   *
   * @throws GrammarException naming what the schema has that is not supported
   */
  public static Grammar jsonSchema(String schema) {
    return jsonSchema(JsonReader.read(schema));
  }

  /** {@link #jsonSchema(String)} of a schema that is read already. */
  public static Grammar jsonSchema(JsonValue schema) {
    return new SchemaGrammar(schema).build();
  }

  /** Any JSON. */
  public static Grammar json() {
    return jsonSchema(JsonValue.Members.EMPTY);
  }

  /**
   * Text that a regular expression matches as a whole.
   *
   * @throws GrammarException naming what is not supported, such as backreferences
   */
  public static Grammar regex(String pattern) {
    return new Grammar(Map.of("root", new RegexParser(pattern).parseWhole()), "root");
  }

  /** One of several texts. */
  public static Grammar choices(List<String> texts) {
    if (texts.isEmpty()) {
      throw new GrammarException("there is nothing to choose from");
    }
    return new Grammar(Map.of("root", Expr.alt(texts.stream().map(Expr::text).toList())), "root");
  }

  Map<String, Expr> rules() {
    return rules;
  }

  String root() {
    return root;
  }
}
