package io.gatun.adapters.peft;

import java.util.Arrays;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * The singular values of a matrix and their vectors, largest first: U·diag(s)·Vᵀ. In doubles.
 *
 * @param left columns of U, each as long as the matrix has rows
 * @param right columns of V
 */
record Svd(double[][] left, double[] values, double[][] right) {
  /** Columns beyond the wanted ones, which make the wanted ones precise (arXiv 0909.4061). */
  private static final int OVERSAMPLING = 8;

  private static final int POWERS = 4;
  private static final int SWEEPS_MAX = 60;

  /** Smaller than this against what it was is rounding, not a direction. */
  private static final double NOTHING = 1e-13;

  /** Q and R of a matrix' columns; Q has zero columns where they depend on others. */
  private record Qr(double[][] q, double[][] r) {}

  /**
   * Of a sum of outer products Σ bₖ·aₖᵀ. Costs in the order of (out + in)·r², never out·in.
   *
   * @param b r columns
   * @param a r rows
   */
  static Svd ofProduct(double[][] b, double[][] a) {
    Qr up = qr(b);
    Qr down = qr(a);
    int r = b.length;
    double[][] core = new double[r][r]; // columns of R_b·R_aᵀ
    for (int j = 0; j < r; j++) {
      for (int k = 0; k < r; k++) {
        for (int i = 0; i < r; i++) {
          core[j][i] += up.r()[k][i] * down.r()[k][j];
        }
      }
    }
    Svd small = jacobi(core);
    return new Svd(combine(up.q(), small.left()), small.values(), combine(down.q(), small.right()));
  }

  /**
   * The largest singular values of a dense matrix, by subspace iteration: exact for one of no
   * higher rank, and otherwise so close that the rest of the matrix decides the error.
   *
   * @param dense [in, out], the first length innermost
   */
  static Svd ofDense(float[] dense, int in, int out, int rank) {
    int columns = Math.min(Math.min(in, out), rank + OVERSAMPLING);
    SplittableRandom random = new SplittableRandom(0x5EED);
    double[][] probe = new double[columns][in];
    for (double[] column : probe) {
      Arrays.setAll(column, _ -> random.nextGaussian());
    }
    double[][] range = qr(times(dense, in, out, probe)).q();
    for (int i = 0; i < POWERS; i++) {
      double[][] rows = qr(transposedTimes(dense, in, out, range)).q();
      range = qr(times(dense, in, out, rows)).q();
    }
    return ofProduct(range, transposedTimes(dense, in, out, range));
  }

  /** Gram and Schmidt, twice, which is as precise as it gets. */
  private static Qr qr(double[][] columns) {
    int n = columns.length;
    double[][] q = new double[n][];
    double[][] r = new double[n][n]; // by column
    for (int j = 0; j < n; j++) {
      double[] v = columns[j].clone();
      double before = norm(v);
      for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < j; i++) {
          double along = dot(q[i], v);
          r[j][i] += along;
          add(v, q[i], -along);
        }
      }
      double left = norm(v);
      if (left <= NOTHING * before) {
        Arrays.fill(v, 0);
      } else {
        r[j][j] = left;
        scale(v, 1 / left);
      }
      q[j] = v;
    }
    return new Qr(q, r);
  }

  /** One-sided Jacobi: turns pairs of columns until all are at right angles. */
  private static Svd jacobi(double[][] matrix) {
    int n = matrix.length;
    double[][] w = new double[n][];
    double[][] v = new double[n][n];
    for (int j = 0; j < n; j++) {
      w[j] = matrix[j].clone();
      v[j][j] = 1;
    }
    boolean turned = true;
    for (int sweep = 0; turned && sweep < SWEEPS_MAX; sweep++) {
      turned = false;
      for (int p = 0; p < n; p++) {
        for (int q = p + 1; q < n; q++) {
          double alpha = dot(w[p], w[p]);
          double beta = dot(w[q], w[q]);
          double gamma = dot(w[p], w[q]);
          if (Math.abs(gamma) > 1e-15 * Math.sqrt(alpha * beta) && gamma != 0) {
            turned = true;
            double zeta = (beta - alpha) / (2 * gamma);
            double t = Math.copySign(1, zeta) / (Math.abs(zeta) + Math.hypot(1, zeta));
            double c = 1 / Math.hypot(1, t);
            turn(w[p], w[q], c, c * t);
            turn(v[p], v[q], c, c * t);
          }
        }
      }
    }
    double[] norms = Arrays.stream(w).mapToDouble(Svd::norm).toArray();
    int[] order =
        IntStream.range(0, n)
            .boxed()
            .sorted(Comparator.comparingDouble(j -> -norms[j]))
            .mapToInt(j -> j)
            .toArray();
    double[][] left = new double[n][];
    double[][] right = new double[n][];
    double[] values = new double[n];
    for (int k = 0; k < n; k++) {
      int j = order[k];
      values[k] = norms[j];
      left[k] = w[j];
      scale(left[k], norms[j] == 0 ? 0 : 1 / norms[j]);
      right[k] = v[j];
    }
    return new Svd(left, values, right);
  }

  private static void turn(double[] x, double[] y, double c, double s) {
    for (int i = 0; i < x.length; i++) {
      double was = x[i];
      x[i] = c * was - s * y[i];
      y[i] = s * was + c * y[i];
    }
  }

  /** The columns of Q·M. */
  private static double[][] combine(double[][] q, double[][] m) {
    double[][] product = new double[m.length][q.length == 0 ? 0 : q[0].length];
    for (int j = 0; j < m.length; j++) {
      for (int k = 0; k < q.length; k++) {
        add(product[j], q[k], m[j][k]);
      }
    }
    return product;
  }

  /** D·x for each column x. */
  private static double[][] times(float[] dense, int in, int out, double[][] columns) {
    double[][] product = new double[columns.length][out];
    IntStream.range(0, out)
        .parallel()
        .forEach(o -> {
          for (int j = 0; j < columns.length; j++) {
            double sum = 0;
            for (int i = 0; i < in; i++) {
              sum += dense[o * in + i] * columns[j][i];
            }
            product[j][o] = sum;
          }
        });
    return product;
  }

  /** Dᵀ·x for each column x. */
  private static double[][] transposedTimes(float[] dense, int in, int out, double[][] columns) {
    double[][] product = new double[columns.length][in];
    IntStream.range(0, columns.length)
        .parallel()
        .forEach(j -> {
          for (int o = 0; o < out; o++) {
            double factor = columns[j][o];
            for (int i = 0; i < in; i++) {
              product[j][i] += factor * dense[o * in + i];
            }
          }
        });
    return product;
  }

  private static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }

  private static double norm(double[] x) {
    return Math.sqrt(dot(x, x));
  }

  private static void add(double[] x, double[] y, double factor) {
    for (int i = 0; i < x.length; i++) {
      x[i] += factor * y[i];
    }
  }

  private static void scale(double[] x, double factor) {
    for (int i = 0; i < x.length; i++) {
      x[i] *= factor;
    }
  }
}
