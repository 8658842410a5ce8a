package io.gatun.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.model.embedding.DimensionAwareEmbeddingModel;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.langchain4j.model.embedding.request.EmbeddingInput;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import dev.langchain4j.model.output.TokenUsage;
import io.gatun.EmbeddingModel;
import java.util.List;

/**
 * A model that makes vectors of texts, each of length 1.
 *
 * <p>Thread-safe. The {@link EmbeddingModel} belongs to the caller, who closes it after this.
 */
public final class GatunEmbeddingModel extends DimensionAwareEmbeddingModel {
  private final EmbeddingModel model;
  private final String name;
  private final List<EmbeddingModelListener> listeners;

  private GatunEmbeddingModel(
      EmbeddingModel model, String name, List<EmbeddingModelListener> listeners) {
    this.model = model;
    this.name = name;
    this.listeners = List.copyOf(listeners);
  }

  /** One that is called as its file is. */
  public static GatunEmbeddingModel of(EmbeddingModel model) {
    return of(model, ChatModelSettings.nameOf(model.model().name()), List.of());
  }

  /** One with a name, and listeners that are told of each request. */
  public static GatunEmbeddingModel of(
      EmbeddingModel model, String name, List<EmbeddingModelListener> listeners) {
    return new GatunEmbeddingModel(model, name, listeners);
  }

  @Override
  public EmbeddingResponse doEmbed(EmbeddingRequest request) {
    List<String> texts = request.inputs().stream().map(EmbeddingInput::text).toList();
    try {
      List<Embedding> vectors = model.embed(texts).stream().map(Embedding::from).toList();
      return EmbeddingResponse.builder()
          .embeddings(vectors)
          .modelName(name)
          .tokenUsage(new TokenUsage(tokens(texts)))
          .build();
    } catch (RuntimeException e) {
      throw Failures.mapped(e);
    }
  }

  private int tokens(List<String> texts) {
    return texts.stream()
        .mapToInt(text -> model.model().vocabulary().encode(text, true, false).length)
        .sum();
  }

  @Override
  public List<EmbeddingModelListener> listeners() {
    return listeners;
  }

  @Override
  public String modelName() {
    return name;
  }

  @Override
  protected Integer knownDimension() {
    return model.model().hyperparams().embeddingLength();
  }
}
