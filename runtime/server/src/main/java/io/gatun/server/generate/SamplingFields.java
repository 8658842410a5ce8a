package io.gatun.server.generate;

import io.gatun.engine.sample.Choice;
import io.gatun.engine.sample.LogitBias;
import io.gatun.engine.sample.LogitsProcessor;
import io.gatun.engine.sample.MinP;
import io.gatun.engine.sample.Penalties;
import io.gatun.engine.sample.SamplerSettings;
import io.gatun.engine.sample.Temperature;
import io.gatun.engine.sample.TopK;
import io.gatun.engine.sample.TopP;
import io.gatun.engine.sample.Typical;
import io.gatun.model.json.JsonValue;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.Fields;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Reads how tokens are chosen. What a request leaves open is as in {@link
 * SamplerSettings#standard}.
 */
public final class SamplingFields {
  private static final int BIASES_MAX = 1024;
  private static final int PENALTY_TOKENS_MAX = 1 << 20;

  private final Fields fields;
  private final int vocabularySize;

  private SamplingFields(Fields fields, int vocabularySize) {
    this.fields = fields;
    this.vocabularySize = vocabularySize;
  }

  /** Settings by OpenAI's names, and those that other local servers use. */
  public static SamplerSettings read(Fields fields, int vocabularySize) {
    return new SamplingFields(fields, vocabularySize).settings();
  }

  private SamplerSettings settings() {
    double temperature = fields.number("temperature", 0, 100).orElse(0.8);
    long seed =
        fields.longInteger("seed", Long.MIN_VALUE, Long.MAX_VALUE).orElseGet(System::nanoTime);
    List<LogitsProcessor> always = edits();
    List<LogitsProcessor> filters = filters();
    if (temperature == 0) {
      return with(SamplerSettings.greedy(), always);
    }
    SamplerSettings drawn = new SamplerSettings(List.of(), new Choice.Draw(), seed);
    return with(with(drawn, always), filters).with(new Temperature((float) temperature));
  }

  private static SamplerSettings with(SamplerSettings settings, List<LogitsProcessor> more) {
    SamplerSettings changed = settings;
    for (LogitsProcessor processor : more) {
      changed = changed.with(processor);
    }
    return changed;
  }

  /** What changes logits, and so the best token too. */
  private List<LogitsProcessor> edits() {
    List<LogitsProcessor> edits = new ArrayList<>();
    Map<Integer, Float> biases = biases();
    if (!biases.isEmpty()) {
      edits.add(new LogitBias(biases));
    }
    double repeat = fields.number("repeat_penalty", 0.01, 100).orElse(1);
    double frequency = fields.number("frequency_penalty", -100, 100).orElse(0);
    double presence = fields.number("presence_penalty", -100, 100).orElse(0);
    int last = fields.integer("repeat_last_n", -1, PENALTY_TOKENS_MAX).orElse(64);
    if (repeat != 1 || frequency != 0 || presence != 0) {
      edits.add(new Penalties(last, (float) repeat, (float) frequency, (float) presence));
    }
    return edits;
  }

  /** What takes improbable tokens away. */
  private List<LogitsProcessor> filters() {
    List<LogitsProcessor> filters = new ArrayList<>();
    OptionalInt topK = fields.integer("top_k", -1, Integer.MAX_VALUE);
    if (topK.orElse(40) > 0) {
      filters.add(new TopK(topK.orElse(40)));
    }
    double typical = fields.number("typical_p", 0.001, 1).orElse(1);
    if (typical < 1) {
      filters.add(new Typical((float) typical));
    }
    double topP = fields.number("top_p", 0, 1).orElse(0.95);
    if (topP < 1) {
      filters.add(new TopP((float) topP));
    }
    double minP = fields.number("min_p", 0, 1).orElse(0.05);
    if (minP > 0) {
      filters.add(new MinP((float) minP));
    }
    return filters;
  }

  private Map<Integer, Float> biases() {
    Map<Integer, Float> biases = new HashMap<>();
    Map<String, JsonValue> given =
        fields.members("logit_bias").orElse(JsonValue.Members.EMPTY).values();
    if (given.size() > BIASES_MAX) {
      throw ApiException.field(
          fields.path("logit_bias"), "may name at most %d tokens".formatted(BIASES_MAX));
    }
    given.forEach((token, bias) -> {
      String path = fields.path("logit_bias") + "." + token;
      biases.put(token(token), (float) Fields.number(bias, path, -100, 100));
    });
    return biases;
  }

  private int token(String text) {
    try {
      int id = Integer.parseInt(text);
      if (id >= 0 && id < vocabularySize) {
        return id;
      }
    } catch (NumberFormatException e) {
      // The message below is the same.
    }
    throw ApiException.field(
        fields.path("logit_bias"),
        "its names must be token ids, 0 to %d".formatted(vocabularySize - 1));
  }
}
