package io.gatun.adapters.training;

import io.gatun.model.AttentionWindow;
import io.gatun.model.TrainingGraph;
import io.gatun.tensor.CompiledGraph;
import io.gatun.tensor.Tensor;
import java.util.Arrays;

/**
 * What each row of a mini-batch sees: a prefix and earlier rows of its own example, at most a
 * window of them.
 *
 * @owner the trainer's thread
 */
final class TrainingMasks {
  private static final short HIDDEN = (short) 0xfc00; // −∞ in F16

  private final AttentionWindow window;
  private final int prefixRows;
  private short[] mask = {};

  /**
   * @param prefixRows P, of a prefix that is before every example
   */
  TrainingMasks(AttentionWindow window, int prefixRows) {
    this.window = window;
    this.prefixRows = prefixRows;
  }

  void write(CompiledGraph target, TrainingGraph forward, MiniBatch batch) {
    write(target, forward.mask(), batch, AttentionWindow.NONE);
    write(target, forward.slidingMask(), batch, window);
  }

  /** Positions of rows: those of the prefix come first. */
  int[] positions(MiniBatch batch) {
    int[] positions = batch.positions().clone();
    for (int row = 0; row < positions.length; row++) {
      positions[row] += prefixRows;
    }
    return positions;
  }

  /** [P+T, T] */
  private void write(CompiledGraph target, Tensor input, MiniBatch batch, AttentionWindow seeing) {
    if (!target.graph().hasInput(input.name())) {
      return;
    }
    int rows = batch.rows();
    int columns = prefixRows + rows;
    if (mask.length != columns * rows) {
      mask = new short[columns * rows];
    }
    Arrays.fill(mask, HIDDEN);
    for (int row = 0; row < rows; row++) {
      int position = batch.examples()[row] < 0 ? 0 : batch.positions()[row];
      int first = row * columns;
      int begin = seeing.first(prefixRows + position);
      int seen = Math.min(position, prefixRows + position - begin);
      int self = first + prefixRows + row;
      Arrays.fill(mask, self - seen, self + 1, (short) 0);
      // The window may begin within the prefix.
      int hidden = Math.min(begin, prefixRows);
      Arrays.fill(mask, first + hidden, first + prefixRows, (short) 0);
    }
    target.write(input, mask, mask.length);
  }
}
