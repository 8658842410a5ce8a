package io.gatun.cli;

import io.gatun.model.Vocabulary;
import io.gatun.model.gguf.GgufFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.json.JsonMapper;

/** {@code gatun tokenize}: shows the tokens of a text. */
@Command(
    name = "tokenize",
    description = "Shows the tokens of a text, one per line: id and how it is written.",
    mixinStandardHelpOptions = true)
public final class TokenizeCommand implements CliCommand {
  @Parameters(index = "0", paramLabel = "MODEL", description = "A GGUF file, or one to fetch.")
  String model = "";

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "TEXT",
      description = "The text (default: standard input).")
  @Nullable String text;

  @Option(names = "--no-special", description = "Do not add BOS and the like.")
  boolean noSpecial;

  @Option(names = "--parse-special", description = "Let <|im_end|> be the token of that name.")
  boolean parseSpecial;

  @Option(names = "--ids", description = "Only the ids, on one line.")
  boolean ids;

  @Option(names = "--count", description = "Only how many there are.")
  boolean count;

  @Option(names = "--json", description = "As JSON.")
  boolean json;

  @Override
  public Integer call() throws IOException {
    String input = text != null ? text : Texts.ofStandardInput();
    try (Vocabulary vocabulary = Vocabulary.of(GgufFile.open(Models.file(model)))) {
      int[] tokens = vocabulary.encode(input, !noSpecial, parseSpecial);
      if (json) {
        Console.println(asJson(vocabulary, tokens));
      } else if (count) {
        Console.println(Integer.toString(tokens.length));
      } else if (ids) {
        List<String> parts = new ArrayList<>();
        for (int token : tokens) {
          parts.add(Integer.toString(token));
        }
        Console.println(String.join(" ", parts));
      } else {
        for (int token : tokens) {
          Console.println("%6d  %s".formatted(token, visible(vocabulary.show(token))));
        }
      }
    }
    return 0;
  }

  private static String asJson(Vocabulary vocabulary, int[] tokens) {
    List<Map<String, Object>> list = new ArrayList<>();
    for (int token : tokens) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("id", token);
      entry.put("text", vocabulary.show(token));
      list.add(entry);
    }
    return JsonMapper.shared().writeValueAsString(list);
  }

  private static String visible(String piece) {
    return piece
        .replace("\\", "\\\\")
        .replace("\n", "\\n")
        .replace("\t", "\\t")
        .replace("\r", "\\r");
  }
}
