package io.gatun.server.generate;

import io.gatun.GenerateOptions;
import io.gatun.LanguageModel;
import io.gatun.engine.AdapterUse;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.Fields;
import java.util.List;
import java.util.OptionalInt;

/** Reads how a text is generated, as far as most interfaces name it alike. */
public final class OptionFields {
  /** The most texts that may end a completion. */
  private static final int STOPS_MAX = 16;

  private static final int STOP_LENGTH_MAX = 1000;

  private OptionFields() {}

  /** Sampling, limits, stop texts, format and adapters. */
  public static GenerateOptions read(Fields fields, LanguageModel model, String... lengthNames) {
    GenerateOptions options =
        GenerateOptions.greedy()
            .withSampling(SamplingFields.read(fields, model.model().vocabularySize()))
            .withMaxTokens(length(fields, lengthNames))
            .withStop(stops(fields, "stop").toArray(String[]::new))
            .withAdapters(adapters(fields, model));
    return FormatFields.read(fields).map(options::withGrammar).orElse(options);
  }

  /** Which adapters act. */
  public static List<AdapterUse> adapters(Fields fields, LanguageModel model) {
    return AdapterFields.read(fields, model.adapters());
  }

  /** The most tokens, by the first of several names that is there. */
  public static int length(Fields fields, String... names) {
    int length = Integer.MAX_VALUE;
    for (String name : names) {
      OptionalInt given = fields.integer(name, 1, Integer.MAX_VALUE);
      if (given.isPresent() && length == Integer.MAX_VALUE) {
        length = given.getAsInt();
      }
    }
    return length;
  }

  /** Texts that end a completion. */
  public static List<String> stops(Fields fields, String name) {
    List<String> stops = fields.texts(name, STOPS_MAX);
    for (String stop : stops) {
      if (stop.isEmpty() || stop.length() > STOP_LENGTH_MAX) {
        throw ApiException.field(
            fields.path(name), "each text must have 1 to %d characters".formatted(STOP_LENGTH_MAX));
      }
    }
    return stops;
  }
}
