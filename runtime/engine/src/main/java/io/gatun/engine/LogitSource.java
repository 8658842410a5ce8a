package io.gatun.engine;

import io.gatun.tensor.CompiledGraph;
import io.gatun.tensor.Tensor;

/**
 * Rows of logits [V] of the step computed last.
 *
 * @owner the engine's thread
 */
interface LogitSource {
  /** Copies a row. */
  void read(int output, float[] into);

  /** The token with the largest logit; −1 when all are NaN. */
  int argMax(int output);

  /** ln Σ exp(logit). */
  double logSumExp(int output);

  /** Those of a graph that Gatun built. */
  record OfGraph(CompiledGraph graph, Tensor logits) implements LogitSource {
    @Override
    public void read(int output, float[] into) {
      graph.readRow(logits, output, into);
    }

    @Override
    public int argMax(int output) {
      return graph.argMax(logits, output);
    }

    @Override
    public double logSumExp(int output) {
      return graph.logSumExp(logits, output);
    }
  }
}
