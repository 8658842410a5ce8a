package io.gatun.tests.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.Completion;
import io.gatun.Gatun;
import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.engine.Engine;
import io.gatun.engine.EngineOptions;
import io.gatun.engine.FinishReason;
import io.gatun.engine.GenerateRequest;
import io.gatun.engine.Generation;
import io.gatun.engine.grammar.Grammar;
import io.gatun.engine.grammar.GrammarException;
import io.gatun.extract.TypeReader;
import io.gatun.extract.TypeSchema;
import io.gatun.model.LoadOptions;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonWriter;
import io.gatun.tensor.CapacityException;
import io.gatun.tests.kit.SharedFiles;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a model writes under a grammar is of that grammar, whatever it would like to say. */
@Timeout(120)
class ConstrainedOutputTest {
  private static LanguageModel model;

  record City(String name, int population) {}

  enum Mood {
    HAPPY,
    SAD
  }

  sealed interface Shape {}

  record Circle(int radius) implements Shape {}

  record Square(int side, Mood mood) implements Shape {}

  record Everything(
      boolean flag,
      byte small,
      Optional<Mood> mood,
      List<Shape> shapes,
      Map<String, Integer> counts,
      BigDecimal price,
      LocalDate day,
      UUID id,
      int[] numbers) {}

  record Tree(int value, List<Tree> children) {}

  @BeforeAll
  static void load() {
    model =
        Gatun.load(
            SharedFiles.stories(),
            LoadOptions.defaults(),
            EngineOptions.defaults().withContextTokens(1024).withThreads(1));
  }

  @AfterAll
  static void close() {
    if (model != null) {
      model.close();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void json_is_json_at_any_temperature(long seed) {
    Grammar grammar =
        Grammar.jsonSchema(
            "{\"properties\":{\"name\":{\"type\":\"string\",\"maxLength\":12},\"age\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":120},"
                + "\"tags\":{\"items\":{\"enum\":[\"a\",\"b\"]},\"maxItems\":3}},\"required\":[\"name\",\"age\"]}");
    Completion text =
        model.complete(
            "Once upon a time",
            options().withSeed(seed).withTemperature(1.5f).withGrammar(grammar));
    assertThat(text.finishReason()).isEqualTo(FinishReason.STOP);
    assertThat(JsonWriter.write(JsonReader.read(text.text()))).startsWith("{\"name\":\"");
  }

  @Test
  void choices_and_patterns_end_by_themselves() {
    List<String> colours = List.of("red", "dark green", "dark blue");
    for (int seed = 0; seed < 8; seed++) {
      GenerateOptions options = options().withSeed(seed).withTemperature(2);
      assertThat(
              model.complete("The ball is", options.withGrammar(Grammar.choices(colours))).text())
          .isIn(colours);
      assertThat(
              model.complete("At", options.withGrammar(Grammar.regex("[0-2]\\d:[0-5]\\d"))).text())
          .matches("[0-2]\\d:[0-5]\\d");
    }
  }

  /** Tokens that are forced share a step, so that there are fewer steps than tokens. */
  @Test
  void forced_text_costs_no_steps_of_its_own() throws Exception {
    Engine engine = model.engine();
    Grammar grammar =
        Grammar.regex("\\{\"a rather long name\": [01], \"and another one\": [01]\\}");
    int[] prompt = engine.model().vocabulary().encode("Once", true, false);
    long before = engine.statistics().steps();
    Generation generation = engine.submit(GenerateRequest.of(prompt).withGrammar(grammar));
    List<Integer> tokens = new ArrayList<>();
    for (var t = generation.next(); t.isPresent(); t = generation.next()) {
      tokens.add(t.get().id());
    }
    String text = engine.model().vocabulary().decode(tokens.stream().mapToInt(i -> i).toArray());
    assertThat(text).matches("\\{\"a rather long name\": [01], \"and another one\": [01]\\}");
    assertThat(engine.statistics().steps() - before).isLessThan(tokens.size() / 2);
    assertThat(generation.finishReason()).isEqualTo(FinishReason.STOP);
  }

  @Test
  void requests_with_and_without_grammars_run_together() throws Exception {
    Engine engine = model.engine();
    int[] prompt = engine.model().vocabulary().encode("Once", true, false);
    List<GenerateRequest> requests = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      GenerateRequest request = GenerateRequest.of(prompt).withMaxTokens(30);
      requests.add(i % 2 == 0 ? request : request.withGrammar(Grammar.regex("(yes|no)+!")));
    }
    List<String> texts = new ArrayList<>();
    for (Generation generation : engine.submitAll(requests)) {
      StringBuilder text = new StringBuilder();
      for (var t = generation.next(); t.isPresent(); t = generation.next()) {
        text.append(engine.model().vocabulary().decode(t.get().id()));
      }
      texts.add(text.toString());
    }
    assertThat(texts.get(0)).isEqualTo(texts.get(2)).isEqualTo(texts.get(4));
    assertThat(texts.get(1)).isEqualTo(texts.get(3)).matches("(yes|no)*(y|ye|n)?!?");
  }

  @Test
  void a_grammar_that_the_model_cannot_follow_fails_and_the_engine_goes_on() {
    assertThatThrownBy(
            () -> model.complete("x", options().withGrammar(Grammar.gbnf("root ::= <|no_such|>"))))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining("<|no_such|>");
    assertThat(model.complete("Once", options().withMaxTokens(3)).usage().completionTokens())
        .isEqualTo(3);
  }

  @Test
  void objects_come_out_typed() {
    City city = model.extract(City.class, "Paris has 2.1 million people.", options());
    assertThat(city.name()).isNotNull();
    Shape shape = model.extract(Shape.class, "A circle.", options());
    assertThat(shape).isInstanceOfAny(Circle.class, Square.class);
    assertThatThrownBy(() -> model.extract(City.class, "Paris", options().withMaxTokens(2)))
        .isInstanceOf(CapacityException.class)
        .hasMessageContaining("2 tokens");
  }

  @Test
  void types_are_read_as_their_schemas_say() {
    var _ = Grammar.jsonSchema(TypeSchema.of(Everything.class));
    Everything read =
        TypeReader.read(
            Everything.class,
            """
            {"flag":true,"small":-128,"shapes":[{"type":"Circle","radius":2},
             {"type":"Square","side":1,"mood":"SAD"}],"counts":{"a":1},"price":1.50,
             "day":"2025-02-28","id":"12345678-1234-1234-1234-1234567890ab","numbers":[1,2]}\
            """);
    assertThat(read.mood()).isEmpty();
    assertThat(read.shapes()).containsExactly(new Circle(2), new Square(1, Mood.SAD));
    assertThat(read.price()).isEqualTo("1.50");
    assertThat(read.numbers()).containsExactly(1, 2);
    Tree tree =
        TypeReader.read(Tree.class, "{\"value\":1,\"children\":[{\"value\":2,\"children\":[]}]}");
    assertThat(tree.children().getFirst().value()).isEqualTo(2);
    var _ = Grammar.jsonSchema(TypeSchema.of(Tree.class));
    assertThatThrownBy(() -> TypeReader.read(City.class, "{\"name\":\"x\",\"population\":1.5}"))
        .hasMessageContaining("City.population");
    record Odd(Thread thread) {}
    assertThatThrownBy(() -> TypeSchema.of(Odd.class)).hasMessageContaining("Odd.thread");
  }

  private static GenerateOptions options() {
    return GenerateOptions.defaults().withSeed(1).withMaxTokens(400);
  }
}
