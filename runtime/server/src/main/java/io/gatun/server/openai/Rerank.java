package io.gatun.server.openai;

import io.gatun.Reranker;
import io.gatun.Reranker.Ranked;
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
import io.gatun.tensor.CapacityException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code POST /v1/rerank}: documents in the order of how well they answer a query. OpenAI has no
 * such address; this is Jina's and Cohere's form.
 */
public final class Rerank implements Endpoint {
  private static final int DOCUMENTS_MAX = 2048;

  private final ServedModels models;

  public Rerank(ServedModels models) {
    this.models = models;
  }

  @Override
  public String method() {
    return "POST";
  }

  @Override
  public String path() {
    return "/v1/rerank";
  }

  @Override
  public ErrorForm errors() {
    return OpenAi.ERRORS;
  }

  @Override
  public void answer(Exchange exchange) throws IOException, InterruptedException {
    Fields body = exchange.body();
    try (ModelUse use = models.use(body.text("model"), ModelKind.RANKING)) {
      String query = body.requiredText("query");
      List<String> documents = documents(body);
      int top = body.integer("top_n", 1, Integer.MAX_VALUE).orElse(documents.size());
      boolean shown = body.flag("return_documents");
      body.end();
      List<JsonValue> results =
          rank(use.ranking(), query, documents).stream()
              .limit(top)
              .map(r -> result(r, shown ? documents : List.of()))
              .toList();
      exchange.send(
          Json.object()
              .put("object", "list")
              .put("model", use.name())
              .put("results", results)
              .build());
    }
  }

  private static List<Ranked> rank(Reranker model, String query, List<String> documents) {
    try {
      return model.rank(query, documents);
    } catch (CapacityException e) {
      throw ApiException.field("documents", String.valueOf(e.getMessage()))
          .withCode("context_length_exceeded");
    }
  }

  /** Texts, or objects with one. */
  private static List<String> documents(Fields body) {
    List<String> documents = new ArrayList<>();
    for (JsonValue item : body.items("documents", DOCUMENTS_MAX)) {
      String path = "documents[%d]".formatted(documents.size());
      if (item instanceof JsonValue.Members) {
        Fields fields = Fields.of(item, path);
        documents.add(fields.requiredText("text"));
        fields.end();
      } else {
        documents.add(Fields.text(item, path));
      }
    }
    if (documents.isEmpty()) {
      throw body.missing("documents");
    }
    return documents;
  }

  private static JsonValue result(Ranked ranked, List<String> documents) {
    Json result = Json.object().put("index", ranked.index()).put("relevance_score", ranked.score());
    if (!documents.isEmpty()) {
      result.put("document", Json.object().put("text", documents.get(ranked.index())));
    }
    return result.build();
  }
}
