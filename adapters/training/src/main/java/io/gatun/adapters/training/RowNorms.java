package io.gatun.adapters.training;

import io.gatun.model.Model;

/** Lengths of the rows of matrices, for DoRA. */
final class RowNorms {
  private RowNorms() {}

  /**
   * The square of the length of each row of W.
   *
   * @param matrix the weight's name without {@code .weight}
   */
  static float[] squares(Model model, String matrix) {
    float[] w = WeightValues.read(model, matrix + ".weight");
    int in = (int) model.weights().find(matrix + ".weight").orElseThrow().shape().d0();
    float[] squares = new float[w.length / in];
    for (int row = 0; row < squares.length; row++) {
      double sum = 0;
      for (int i = 0; i < in; i++) {
        sum += (double) w[row * in + i] * w[row * in + i];
      }
      squares[row] = (float) sum;
    }
    return squares;
  }

  /**
   * The length of each row of W + scale · B·A.
   *
   * @param a [in, r]
   * @param b [r, out]
   */
  static double[] changed(Model model, String matrix, float[] a, float[] b, float scale) {
    float[] w = WeightValues.read(model, matrix + ".weight");
    int in = (int) model.weights().find(matrix + ".weight").orElseThrow().shape().d0();
    int rank = a.length / in;
    double[] norms = new double[w.length / in];
    double[] row = new double[in];
    for (int o = 0; o < norms.length; o++) {
      for (int i = 0; i < in; i++) {
        row[i] = w[o * in + i];
      }
      for (int k = 0; k < rank; k++) {
        double factor = (double) scale * b[o * rank + k];
        for (int i = 0; i < in; i++) {
          row[i] += factor * a[k * in + i];
        }
      }
      double sum = 0;
      for (double value : row) {
        sum += value * value;
      }
      norms[o] = Math.sqrt(sum);
    }
    return norms;
  }
}
