package io.gatun.tests.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.engine.grammar.CompiledGrammar;
import io.gatun.engine.grammar.Grammar;
import io.gatun.engine.grammar.GrammarException;
import io.gatun.engine.grammar.TokenTrie;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonStyle;
import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Items;
import io.gatun.model.json.JsonValue.Members;
import io.gatun.model.json.JsonWriter;
import io.gatun.tests.kit.SharedFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Schemas become grammars whose every text is valid by them, or are refused by name. */
class JsonSchemaTest {
  private static final TokenTrie NONE = new TokenTrie(List.of(), List.of());

  /** What llama.cpp passes over and we refuse: broken tuples, and looking ahead. */
  private static final Map<String, String> STRICTER =
      Map.of(
          "array with empty items and prefixItems", "prefixItems must be an array",
          "string array", "prefixItems must be an array",
          "nullable string array", "prefixItems must be an array",
          "unsupported regexp in a property", "looking ahead");

  @TestFactory
  Stream<DynamicTest> llama_cpps_schemas_are_read_and_nothing_of_its_grammar_is_invalid()
      throws Exception {
    return GrammarTest.cases("schema-to-gbnf.json").stream()
        .map(c ->
            DynamicTest.dynamicTest(
                GrammarTest.text(c, "name"),
                () -> {
                  String name = GrammarTest.text(c, "name");
                  String schema = GrammarTest.text(c, "schema");
                  if (STRICTER.containsKey(name)) {
                    assertThatThrownBy(() -> Grammar.jsonSchema(schema))
                        .isInstanceOf(GrammarException.class)
                        .hasMessageContaining(STRICTER.get(name));
                  } else if (GrammarTest.text(c, "status").equals("SUCCESS")) {
                    var _ = new CompiledGrammar(Grammar.jsonSchema(schema), NONE);
                  } else {
                    assertThatThrownBy(() -> Grammar.jsonSchema(schema))
                        .isInstanceOf(GrammarException.class);
                  }
                }));
  }

  @TestFactory
  Stream<DynamicTest> errors_name_the_place_and_the_word() throws Exception {
    return GrammarTest.cases("schema-errors.json").stream()
        .map(c ->
            DynamicTest.dynamicTest(
                GrammarTest.text(c, "schema"),
                () ->
                    assertThatThrownBy(() -> Grammar.jsonSchema(GrammarTest.text(c, "schema")))
                        .isInstanceOf(GrammarException.class)
                        .hasMessageContaining(GrammarTest.text(c, "error_contains"))));
  }

  /**
   * No instance that the suite calls invalid is ever accepted. Valid ones may be rejected, as a
   * grammar is narrower; how many schemas and instances get through is counted, so that fewer would
   * be noticed.
   */
  @Test
  void nothing_that_the_test_suite_calls_invalid_is_accepted() throws Exception {
    int[] counts = new int[4]; // schemas read, refused, valid instances accepted, rejected
    for (String draft : List.of("draft7", "draft2020-12")) {
      Path folder = SharedFiles.require("data/grammars/JSON-Schema-Test-Suite/tests/" + draft);
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.filter(f -> f.toString().endsWith(".json")).sorted().toList()) {
          for (JsonValue group : ((Items) JsonReader.read(Files.readString(file))).values()) {
            check(file, (Members) group, counts);
          }
        }
      }
    }
    assertThat(counts[0]).as("schemas read").isGreaterThanOrEqualTo(275);
    assertThat(counts[2]).as("valid instances accepted").isGreaterThanOrEqualTo(377);
  }

  private static void check(Path file, Members group, int[] counts) {
    CompiledGrammar grammar;
    try {
      grammar = new CompiledGrammar(Grammar.jsonSchema(group.get("schema").orElseThrow()), NONE);
    } catch (GrammarException refused) {
      assertThat(refused.getMessage()).isNotBlank();
      counts[1]++;
      return;
    }
    counts[0]++;
    for (JsonValue test : GrammarTest.items(group, "tests")) {
      JsonValue data = ((Members) test).get("data").orElseThrow();
      boolean valid = ((Members) test).get("valid").orElseThrow().equals(JsonValue.of(true));
      boolean accepted = false;
      for (JsonStyle style : List.of(JsonStyle.COMPACT, JsonStyle.PYTHON)) {
        accepted |= grammar.matches(JsonWriter.write(data, style).getBytes(StandardCharsets.UTF_8));
      }
      if (valid) {
        counts[accepted ? 2 : 3]++;
      } else {
        assertThat(accepted)
            .as("%s: %s: %s", file.getFileName(), group.get("description"), test)
            .isFalse();
      }
    }
  }

  @Test
  void words_that_no_grammar_can_hold_are_refused_by_name() {
    for (String word :
        Set.of(
            "not",
            "if",
            "then",
            "else",
            "patternProperties",
            "propertyNames",
            "contains",
            "uniqueItems",
            "minProperties",
            "dependentRequired",
            "unevaluatedItems",
            "nonsense")) {
      assertThatThrownBy(() -> Grammar.jsonSchema("{\"" + word + "\": true}"))
          .isInstanceOf(GrammarException.class)
          .hasMessageContaining("#: " + word);
    }
    assertThatThrownBy(() -> Grammar.jsonSchema("{\"format\": \"uri\"}"))
        .hasMessageContaining("format uri");
    assertThatThrownBy(
            () -> Grammar.jsonSchema("{\"oneOf\": [{\"minimum\": 1}, {\"minimum\": 2}]}"))
        .hasMessageContaining("might hold together");
  }
}
