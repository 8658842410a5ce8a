package io.gatun.engine;

import io.gatun.model.DecoderGraph;
import io.gatun.tensor.CompiledGraph;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Measures attention for sequences whose {@link ContextPolicy} wants to know: of every fourth token
 * while they decode, and of the last ones of each piece of a prompt.
 *
 * @owner the engine's thread
 */
final class AttentionMeter {
  /** One in so many tokens is measured; its attention is much like its neighbours'. */
  static final int EVERY = 4;

  /** So many rows of a piece of a prompt are measured at most. */
  static final int PROMPT_ROWS = 16;

  private List<Integer> rows = List.of();
  private float[] weights = {};

  /** Chooses rows of a batch; how many there are, filled up so that few graphs are needed. */
  int choose(Batch batch) {
    rows = new ArrayList<>();
    int next;
    for (int row = 0; row < batch.rows(); row = next) {
      Sequence sequence = batch.sequence(row);
      next = row + 1;
      while (next < batch.rows() && batch.sequence(next) == sequence) {
        next++;
      }
      if (sequence.tally().isPresent()) {
        choose(batch, row, next);
      }
    }
    return rows.isEmpty() ? 0 : Integer.highestOneBit(2 * rows.size() - 1);
  }

  private void choose(Batch batch, int from, int to) {
    for (int row = Math.max(from, to - PROMPT_ROWS); row < to; row++) {
      int place = batch.position(row) + batch.sequence(row).forgotten();
      if (to - from > 1 || place % EVERY == 0) {
        rows.add(row);
      }
    }
  }

  /** Says which rows are measured. */
  void write(DecoderGraph.Weights graph, CompiledGraph target) {
    int[] all = new int[(int) graph.rows().shape().d0()];
    Arrays.setAll(all, i -> rows.get(Math.min(i, rows.size() - 1)));
    target.write(graph.rows(), all);
  }

  /** Adds what was measured to the tallies. */
  void read(Batch batch, DecoderGraph.Weights graph, CompiledGraph source) {
    int cells = (int) graph.means().shape().d0();
    if (weights.length < cells) {
      weights = new float[cells];
    }
    for (int i = 0; i < rows.size(); i++) {
      source.readRow(graph.means(), i, weights);
      Sequence sequence = batch.sequence(rows.get(i));
      for (int p = 0; p <= batch.position(rows.get(i)); p++) {
        sequence.tally().orElseThrow().add(p, weights[sequence.cells().at(p)]);
      }
    }
  }
}
