package io.gatun.adapters.training;

import io.gatun.model.TrainingGraph;
import io.gatun.tensor.CompiledGraph;
import io.gatun.tensor.Tensor;
import java.util.Arrays;

/**
 * What each row of a mini-batch sees: earlier ones of its own example, at most a window of them.
 *
 * @owner the trainer's thread
 */
final class TrainingMasks {
  private static final short HIDDEN = (short) 0xfc00; // −∞ in F16

  private final int slidingWindow;
  private short[] mask = {};

  TrainingMasks(int slidingWindow) {
    this.slidingWindow = slidingWindow;
  }

  void write(CompiledGraph target, TrainingGraph forward, MiniBatch batch) {
    write(target, forward.mask(), batch, Integer.MAX_VALUE);
    write(target, forward.slidingMask(), batch, slidingWindow);
  }

  /** [T, T] */
  private void write(CompiledGraph target, Tensor input, MiniBatch batch, int window) {
    if (!target.graph().hasInput(input.name())) {
      return;
    }
    int rows = batch.rows();
    if (mask.length != rows * rows) {
      mask = new short[rows * rows];
    }
    Arrays.fill(mask, HIDDEN);
    for (int row = 0; row < rows; row++) {
      int seen = batch.examples()[row] < 0 ? 0 : Math.min(batch.positions()[row], window - 1);
      int self = row * rows + row;
      Arrays.fill(mask, self - seen, self + 1, (short) 0);
    }
    target.write(input, mask, mask.length);
  }
}
