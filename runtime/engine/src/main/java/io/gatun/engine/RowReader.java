package io.gatun.engine;

import io.gatun.tensor.Selection;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads rows of logits [V] of a computed step; a row is copied into Java only when somebody needs
 * all of it.
 *
 * @owner the engine's thread
 */
final class RowReader implements AutoCloseable {
  private static final int TOP_MAX = 1024;

  private final float[] copy;
  private final Selection selection = new Selection(TOP_MAX);

  RowReader(int vocabularySize) {
    copy = new float[vocabularySize];
  }

  /** A row of the step computed last, valid until the next one. */
  Row row(LogitSource source, int output) {
    return new Row(source, output);
  }

  @Override
  public void close() {
    selection.close();
  }

  /** One row; at most one is looked at, at a time. */
  final class Row {
    private final LogitSource source;
    private final int output;
    private boolean copied;

    private Row(LogitSource source, int output) {
      this.source = source;
      this.output = output;
    }

    int count() {
      return copy.length;
    }

    /** All logits; the array is reused for other rows. */
    float[] logits() {
      if (!copied) {
        source.read(output, copy);
        copied = true;
      }
      return copy;
    }

    /** The token with the largest logit. */
    int best() {
      int best = source.argMax(output);
      if (best < 0) {
        throw new IllegalStateException(
            "no token can be chosen: every logit is NaN; are the weights damaged?");
      }
      return best;
    }

    /** A chosen token with as many log-probabilities as were asked for. */
    GeneratedToken token(int id, int logprobs) {
      if (logprobs < 0) {
        return new GeneratedToken(id, Float.NaN, List.of());
      }
      float[] all = logits();
      double logMass = source.logSumExp(output);
      List<GeneratedToken.Alternative> top = new ArrayList<>();
      if (logprobs > 0) {
        int found = selection.topK(all, Math.min(logprobs, all.length));
        for (int i = 0; i < found; i++) {
          top.add(
              new GeneratedToken.Alternative(
                  selection.index(i), (float) (selection.value(i) - logMass)));
        }
      }
      return new GeneratedToken(id, (float) (all[id] - logMass), List.copyOf(top));
    }
  }

  /** ln Σ exp(logit). */
  static double logMass(float[] logits) {
    float max = Float.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    return max + Math.log(sum);
  }
}
