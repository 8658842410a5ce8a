package io.gatun.adapters.peft;

import io.gatun.model.adapter.LowRank;
import java.util.stream.IntStream;

/** The change of a matrix, written out. */
final class DenseDelta {
  private DenseDelta() {}

  /**
   * Rows of factor · scale · B·A of one expert, added to what is there.
   *
   * @param rows [in, count], the first length innermost
   * @param first the number of the first row in the expert's matrix
   */
  static void addRows(LowRank d, int expert, float factor, float[] rows, int first, int count) {
    int in = d.in();
    int r = d.rank();
    float[] a = d.a();
    float[] b = d.b();
    double strength = (double) d.scale() * factor;
    IntStream.range(0, count)
        .parallel()
        .forEach(row -> {
          double[] sum = new double[in];
          for (int k = 0; k < r; k++) {
            double w = b[(expert * d.out() + first + row) * r + k] * strength;
            int from = (expert * r + k) * in;
            for (int i = 0; i < in; i++) {
              sum[i] += w * a[from + i];
            }
          }
          for (int i = 0; i < in; i++) {
            rows[row * in + i] = (float) (rows[row * in + i] + sum[i]);
          }
        });
  }

  /**
   * Rows of weights that grow by a share of themselves.
   *
   * @param gains of all rows of the matrix; empty for none
   */
  static void rescale(float[] gains, float[] rows, int first, int count) {
    if (gains.length == 0) {
      return;
    }
    int in = rows.length / count;
    for (int row = 0; row < count; row++) {
      for (int i = 0; i < in; i++) {
        rows[row * in + i] *= 1 + gains[first + row];
      }
    }
  }

  /** One expert's whole change, [in, out]. */
  static float[] of(LowRank d, int expert, float factor) {
    float[] dense = new float[Math.multiplyExact(d.in(), d.out())];
    addRows(d, expert, factor, dense, 0, d.out());
    return dense;
  }
}
