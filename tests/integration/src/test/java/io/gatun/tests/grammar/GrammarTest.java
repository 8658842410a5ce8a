package io.gatun.tests.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.engine.grammar.CompiledGrammar;
import io.gatun.engine.grammar.Grammar;
import io.gatun.engine.grammar.GrammarException;
import io.gatun.engine.grammar.GrammarMatcher;
import io.gatun.engine.grammar.TokenTrie;
import io.gatun.model.json.JsonReader;
import io.gatun.model.json.JsonValue;
import io.gatun.model.json.JsonValue.Items;
import io.gatun.model.json.JsonValue.Members;
import io.gatun.model.json.JsonValue.Text;
import io.gatun.tests.kit.SharedFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Grammars in llama.cpp's notation, regular expressions, choices, and the masks they give. */
class GrammarTest {
  /** Tokens 0 to 31 are special; behind them is one for each byte. */
  private static final TokenTrie BYTES =
      new TokenTrie(
          IntStream.range(0, 288)
              .mapToObj(t -> t < 32 ? new byte[0] : new byte[] {(byte) (t - 32)})
              .toList(),
          List.of());

  /** Its schemas have uniqueItems, which no grammar can hold. */
  private static final String REFUSED = "required props";

  @TestFactory
  Stream<DynamicTest> llama_cpps_cases_are_accepted_and_rejected_alike() throws Exception {
    return cases("accept-reject.json").stream()
        .map(c ->
            DynamicTest.dynamicTest(
                text(c, "kind") + " " + text(c, "description"),
                () -> {
                  boolean schema = text(c, "kind").equals("json_schema");
                  if (text(c, "description").equals(REFUSED)) {
                    assertThatThrownBy(() -> Grammar.jsonSchema(text(c, "schema")))
                        .isInstanceOf(GrammarException.class)
                        .hasMessageContaining("uniqueItems");
                    return;
                  }
                  Grammar grammar =
                      schema
                          ? Grammar.jsonSchema(text(c, "schema"))
                          : Grammar.gbnf(text(c, "grammar"));
                  CompiledGrammar compiled = new CompiledGrammar(grammar, BYTES);
                  for (JsonValue accepted : items(c, "accept")) {
                    assertThat(accepts(compiled, accepted)).as("accepts " + accepted).isTrue();
                  }
                  for (JsonValue rejected : items(c, "reject")) {
                    assertThat(accepts(compiled, rejected)).as("accepts " + rejected).isFalse();
                  }
                }));
  }

  @TestFactory
  Stream<DynamicTest> llama_cpps_grammars_are_read_or_refused_alike() throws Exception {
    return Stream.concat(cases("gbnf-parser.json").stream(), cases("build-failures.json").stream())
        .map(c ->
            DynamicTest.dynamicTest(
                text(c, "grammar").strip(),
                () -> {
                  // A file of no root rule can be read by llama.cpp's parser, but not used.
                  boolean good =
                      c.get("valid")
                          .orElseGet(() -> c.get("usable").orElseThrow())
                          .equals(JsonValue.of(true));
                  String root = c.text("root").orElse("root");
                  if (good) {
                    var _ = new CompiledGrammar(Grammar.gbnf(text(c, "grammar"), root), BYTES);
                  } else {
                    assertThatThrownBy(() ->
                            new CompiledGrammar(Grammar.gbnf(text(c, "grammar"), root), BYTES))
                        .isInstanceOf(GrammarException.class);
                  }
                }));
  }

  @Test
  void the_sample_grammars_can_be_read() throws Exception {
    Path folder = SharedFiles.require("data/grammars/gbnf");
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".gbnf")).sorted().toList()) {
        var _ = new CompiledGrammar(Grammar.gbnf(Files.readString(file)), BYTES);
      }
    }
    CompiledGrammar arithmetic =
        new CompiledGrammar(
            Grammar.gbnf(Files.readString(folder.resolve("arithmetic.gbnf"))), BYTES);
    assertThat(matches(arithmetic, "1+2=3\n")).isTrue();
    assertThat(matches(arithmetic, "1+=3\n")).isFalse();
  }

  @Test
  void errors_say_where() {
    assertThatThrownBy(() -> Grammar.gbnf("root ::= a\na ::= \"x"))
        .hasMessage("grammar, line 2, column 9: expected \" at the end of a literal");
    assertThatThrownBy(() -> Grammar.gbnf("root ::= a")).hasMessageContaining("names a");
    assertThatThrownBy(() -> Grammar.gbnf("root ::= \"a\" root"))
        .hasMessageContaining("no text that ends");
    assertThatThrownBy(() -> Grammar.regex("(?=a)a")).hasMessageContaining("looking ahead");
    assertThatThrownBy(() -> Grammar.regex("(a)\\1")).hasMessageContaining("\\1");
    assertThatThrownBy(() -> Grammar.choices(List.of())).isInstanceOf(GrammarException.class);
    String deep = "(".repeat(100_000);
    assertThatThrownBy(() -> Grammar.gbnf("root ::= " + deep)).hasMessageContaining("deeply");
    assertThatThrownBy(() -> Grammar.regex(deep)).hasMessageContaining("deeply");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[a-c]+\\d{2,3}",
        "(?:foo|ba[rz])*",
        "\\w+@\\w*\\.?(c|o)",
        "é*[^a-z]{1,2}",
        "a.b?c*",
        "[\\]\\-x]{3}",
        "(ab|a)(bc|c)?",
        "^x[^\\s\"]*$"
      })
  void regular_expressions_match_what_javas_do(String pattern) {
    CompiledGrammar compiled = new CompiledGrammar(Grammar.regex(pattern), BYTES);
    String alphabet = "abcfozr0129@.é]-x\"\n 𝄞";
    int[] characters = alphabet.codePoints().toArray();
    SplittableRandom random = new SplittableRandom(1);
    int matching = 0;
    for (int i = 0; i < 20_000; i++) {
      StringBuilder text = new StringBuilder();
      for (int n = random.nextInt(7); n > 0; n--) {
        text.appendCodePoint(characters[random.nextInt(characters.length)]);
      }
      boolean expected = text.toString().matches(pattern);
      assertThat(matches(compiled, text.toString())).as(text.toString()).isEqualTo(expected);
      matching += expected ? 1 : 0;
    }
    assertThat(matching).isPositive();
  }

  /** Masks are put together from parts that are found once; each token must agree with them. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void a_mask_has_exactly_the_tokens_that_can_be_read(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    String alphabet = "{}[]\":, \nabtrufalsen0123é\\";
    List<byte[]> texts = new ArrayList<>();
    for (int t = 0; t < 1500; t++) {
      int length = t % 50 == 0 ? 0 : 1 + random.nextInt(5);
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < length; i++) {
        text.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
      texts.add(t % 7 == 3 && bytes.length > 1 ? Arrays.copyOf(bytes, bytes.length - 1) : bytes);
    }
    TokenTrie trie = new TokenTrie(texts, List.of(50));
    String schema =
        "{\"properties\":{\"a\":{\"type\":\"string\",\"maxLength\":6},\"b\":{\"items\":{\"type\":\"integer\"}}},"
            + "\"additionalProperties\":{},\"required\":[\"a\"]}";
    CompiledGrammar compiled =
        new CompiledGrammar(seed % 2 == 0 ? Grammar.json() : Grammar.jsonSchema(schema), trie);
    for (int run = 0; run < 20; run++) {
      GrammarMatcher matcher = compiled.start();
      for (int step = 0; step < 30; step++) {
        long[] mask = matcher.allowed();
        List<Integer> allowed = new ArrayList<>();
        for (int t = 0; t < texts.size(); t++) {
          boolean bit = (mask[t / 64] >>> t & 1) != 0;
          boolean expected =
              t == 50 ? matcher.mayEnd() : texts.get(t).length > 0 && matcher.allows(t);
          assertThat(bit).as("token " + t).isEqualTo(expected);
          if (bit && t != 50) {
            allowed.add(t);
          }
        }
        if (allowed.isEmpty()) {
          break;
        }
        matcher.accept(allowed.get(random.nextInt(allowed.size())));
      }
    }
  }

  @Test
  void forced_text_is_jumped_over() {
    List<byte[]> texts = new ArrayList<>();
    for (String t : List.of("{", "\"", "na", "me", "name", "\":", " ", "x", "}", ":", "1")) {
      texts.add(t.getBytes(StandardCharsets.UTF_8));
    }
    TokenTrie trie = new TokenTrie(texts, List.of());
    GrammarMatcher matcher =
        new CompiledGrammar(Grammar.regex("\\{\"name\":(x|1)\\}"), trie).start();
    assertThat(matcher.jump()).containsExactly(0, 1, 4); // "\":" could be more
    assertThat(matcher.allows(5)).isTrue();
    matcher.accept(5);
    matcher.accept(7);
    assertThat(matcher.jump()).containsExactly(8);
    assertThat(matcher.mustEnd()).isTrue();
    assertThatThrownBy(() -> matcher.accept(0)).isInstanceOf(IllegalArgumentException.class);
  }

  private static boolean accepts(CompiledGrammar grammar, JsonValue text) {
    if (text instanceof Text(String plain)) {
      return matches(grammar, plain);
    }
    byte[] bytes = HexFormat.of().parseHex(text((Members) text, "$bytes_hex"));
    GrammarMatcher matcher = grammar.start();
    for (int i = 0; i < bytes.length; i++) {
      int token = 32 + (bytes[i] & 0xff);
      if (bytes[i] == (byte) 0xff) {
        token = bytes[i + 4];
        i += 4;
      }
      if (!matcher.allows(token)) {
        return false;
      }
      matcher.accept(token);
    }
    return matcher.mayEnd();
  }

  private static boolean matches(CompiledGrammar grammar, String text) {
    return grammar.matches(text.getBytes(StandardCharsets.UTF_8));
  }

  static List<Members> cases(String file) throws Exception {
    Path path = SharedFiles.require("data/grammars/" + file);
    Members all = (Members) JsonReader.read(Files.readString(path));
    return items(all, "cases").stream().map(c -> (Members) c).toList();
  }

  static List<JsonValue> items(Members members, String name) {
    return ((Items) members.get(name).orElseThrow()).values();
  }

  static String text(Members members, String name) {
    return members.text(name).orElseThrow();
  }
}
