package io.gatun.engine;

import io.gatun.tensor.llama.LlamaContext;

/**
 * Rows of logits [V] that libllama has computed: copies, because a step may take several decodes.
 *
 * @owner the engine's thread
 */
final class LlamaLogits implements LogitSource {
  private float[][] rows = {};

  /** Forgets everything and makes room. */
  void clear(int outputs) {
    rows = new float[outputs][];
  }

  /** Takes an output from a row of the decode that has just ended. */
  void take(int output, LlamaContext context, int row) {
    rows[output] = context.logits(row);
  }

  @Override
  public void read(int output, float[] into) {
    System.arraycopy(rows[output], 0, into, 0, into.length);
  }

  @Override
  public int argMax(int output) {
    int best = -1;
    float most = Float.NEGATIVE_INFINITY;
    float[] row = rows[output];
    for (int i = 0; i < row.length; i++) {
      if (row[i] > most || (best < 0 && row[i] == most)) {
        best = i;
        most = row[i];
      }
    }
    return best;
  }

  @Override
  public double logSumExp(int output) {
    return RowReader.logMass(rows[output]);
  }
}
