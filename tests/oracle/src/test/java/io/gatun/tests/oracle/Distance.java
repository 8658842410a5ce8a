package io.gatun.tests.oracle;

/** How far two vectors are apart. */
final class Distance {
  private Distance() {}

  /** The length of their difference, as a share of the second's. */
  static double of(float[] a, float[] b) {
    double difference = 0;
    double length = 0;
    for (int i = 0; i < a.length; i++) {
      difference += (a[i] - b[i]) * (double) (a[i] - b[i]);
      length += (double) b[i] * b[i];
    }
    return Math.sqrt(difference / length);
  }
}
