package io.gatun.langchain4j;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.scoring.ScoringModel;
import io.gatun.Reranker;
import java.util.ArrayList;
import java.util.List;

/**
 * A model that says how well texts answer a query. Larger scores are better; what they mean differs
 * between models.
 *
 * <p>Thread-safe. The {@link Reranker} belongs to the caller, who closes it after this.
 */
public final class GatunScoringModel implements ScoringModel {
  private final Reranker reranker;

  private GatunScoringModel(Reranker reranker) {
    this.reranker = reranker;
  }

  public static GatunScoringModel of(Reranker reranker) {
    return new GatunScoringModel(reranker);
  }

  @Override
  public Response<List<Double>> scoreAll(List<TextSegment> segments, String query) {
    try {
      float[] scores = reranker.scores(query, segments.stream().map(TextSegment::text).toList());
      List<Double> all = new ArrayList<>();
      for (float score : scores) {
        all.add((double) score);
      }
      return Response.from(all);
    } catch (RuntimeException e) {
      throw Failures.mapped(e);
    }
  }
}
