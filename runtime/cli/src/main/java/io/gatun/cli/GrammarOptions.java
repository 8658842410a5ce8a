package io.gatun.cli;

import io.gatun.GenerateOptions;
import io.gatun.engine.grammar.Grammar;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** What the text has to look like. */
final class GrammarOptions {
  @ArgGroup(heading = "%nForm of the text, one of:%n")
  @Nullable Form form;

  /** The ways to say it. */
  static final class Form {
    @Option(
        names = "--grammar",
        paramLabel = "FILE",
        description = "A grammar in llama.cpp's notation (GBNF).")
    @Nullable Path grammar;

    @Option(
        names = "--json-schema",
        paramLabel = "FILE|JSON",
        description = "JSON that is valid by a schema.")
    @Nullable String schema;

    @Option(names = "--json", description = "Any JSON.")
    boolean json;

    @Option(names = "--regex", paramLabel = "PATTERN", description = "What a pattern matches.")
    @Nullable String regex;

    @Option(
        names = "--choices",
        paramLabel = "TEXTS",
        split = ",",
        description = "One of several texts.")
    @Nullable List<String> choices;
  }

  /** Options with the form that was asked for, if one was. */
  GenerateOptions apply(GenerateOptions options) throws IOException {
    return grammar().map(options::withGrammar).orElse(options);
  }

  private Optional<Grammar> grammar() throws IOException {
    if (form == null) {
      return Optional.empty();
    }
    if (form.grammar != null) {
      return Optional.of(Grammar.gbnf(Texts.of(form.grammar)));
    }
    if (form.schema != null) {
      String text = form.schema.strip();
      return Optional.of(
          Grammar.jsonSchema(
              text.startsWith("{") || text.equals("true") ? text : Texts.of(Path.of(text))));
    }
    if (form.regex != null) {
      return Optional.of(Grammar.regex(form.regex));
    }
    if (form.choices != null) {
      return Optional.of(Grammar.choices(form.choices));
    }
    return form.json ? Optional.of(Grammar.json()) : Optional.empty();
  }
}
