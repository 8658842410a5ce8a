package io.gatun.server.openai;

import io.gatun.EmbeddingModel;
import io.gatun.model.json.JsonValue;
import io.gatun.server.http.ApiException;
import io.gatun.server.http.Endpoint;
import io.gatun.server.http.ErrorForm;
import io.gatun.server.http.Exchange;
import io.gatun.server.http.Fields;
import io.gatun.server.http.Json;
import io.gatun.server.models.ModelKind;
import io.gatun.server.models.ModelUse;
import io.gatun.server.models.ServedModels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** {@code POST /v1/embeddings}: vectors of texts. */
public final class Embeddings implements Endpoint {
  private static final int INPUTS_MAX = 2048;

  private final ServedModels models;

  public Embeddings(ServedModels models) {
    this.models = models;
  }

  @Override
  public String method() {
    return "POST";
  }

  @Override
  public String path() {
    return "/v1/embeddings";
  }

  @Override
  public ErrorForm errors() {
    return OpenAi.ERRORS;
  }

  @Override
  public void answer(Exchange exchange) throws IOException, InterruptedException {
    Fields body = exchange.body();
    body.ignore("user");
    try (ModelUse use = models.use(body.text("model"), ModelKind.EMBEDDING)) {
      EmbeddingModel model = use.embedding();
      List<int[]> inputs = inputs(body, model);
      boolean packed = packed(body);
      long dimensions = body.integer("dimensions", 1, Integer.MAX_VALUE).orElse(0);
      body.end();
      List<float[]> vectors = model.embedTokens(inputs);
      if (dimensions > 0 && dimensions != vectors.getFirst().length) {
        throw ApiException.field(
            "dimensions",
            "the model's vectors have %d and cannot be cut".formatted(vectors.getFirst().length));
      }
      exchange.send(answer(use.name(), inputs, vectors, packed));
    }
  }

  private static boolean packed(Fields body) {
    String format = body.text("encoding_format").orElse("float");
    return switch (format) {
      case "float" -> false;
      case "base64" -> true;
      default -> throw ApiException.field("encoding_format", "must be float or base64");
    };
  }

  /** A text, token ids, or an array of either. */
  private static List<int[]> inputs(Fields body, EmbeddingModel model) {
    JsonValue input = body.any("input").orElseThrow(() -> body.missing("input"));
    boolean many =
        input instanceof JsonValue.Items(List<JsonValue> items)
            && !items.isEmpty()
            && !(items.getFirst() instanceof JsonValue.Number);
    if (!many) {
      return List.of(input(input, "input", model));
    }
    List<int[]> inputs = new ArrayList<>();
    for (JsonValue item : Fields.items(input, "input", INPUTS_MAX)) {
      inputs.add(input(item, "input[%d]".formatted(inputs.size()), model));
    }
    return inputs;
  }

  private static int[] input(JsonValue value, String path, EmbeddingModel model) {
    int most = model.embedder().contextTokens();
    int[] tokens;
    if (value instanceof JsonValue.Text(String text)) {
      tokens = model.model().vocabulary().encode(text, true, false);
    } else {
      int last = model.model().vocabularySize() - 1;
      tokens =
          Fields.items(value, path, most).stream()
              .mapToInt(id -> (int) Fields.integer(id, path, 0, last))
              .toArray();
    }
    if (tokens.length == 0) {
      throw ApiException.field(path, "must not be empty");
    }
    if (tokens.length > most) {
      throw ApiException.field(
              path, "has %d tokens, but the model reads at most %d".formatted(tokens.length, most))
          .withCode("context_length_exceeded");
    }
    return tokens;
  }

  private static JsonValue answer(
      String model, List<int[]> inputs, List<float[]> vectors, boolean packed) {
    List<JsonValue> shown = new ArrayList<>();
    for (float[] vector : vectors) {
      shown.add(
          Json.object()
              .put("object", "embedding")
              .put("index", shown.size())
              .put("embedding", packed ? JsonValue.of(packed(vector)) : numbers(vector))
              .build());
    }
    int tokens = inputs.stream().mapToInt(t -> t.length).sum();
    return Json.object()
        .put("object", "list")
        .put("data", shown)
        .put("model", model)
        .put("usage", Json.object().put("prompt_tokens", tokens).put("total_tokens", tokens))
        .build();
  }

  private static JsonValue numbers(float[] vector) {
    List<JsonValue> numbers = new ArrayList<>(vector.length);
    for (float v : vector) {
      numbers.add(Json.number(v));
    }
    return JsonValue.of(numbers);
  }

  /** 32-bit numbers, the lowest byte first. */
  private static String packed(float[] vector) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * vector.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(vector);
    return Base64.getEncoder().encodeToString(bytes.array());
  }
}
