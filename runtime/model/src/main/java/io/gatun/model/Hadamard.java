package io.gatun.model;

/**
 * The Walsh-Hadamard matrix, divided by the root of its size: symmetric, and its own inverse.
 *
 * @source arXiv 2404.00456 for turning what is quantised
 */
final class Hadamard {
  private Hadamard() {}

  /** [B, B] for a power of two: ±1/√B, minus where i and j have an odd number of bits in common. */
  static float[] matrix(int block) {
    float[] matrix = new float[block * block];
    float one = (float) (1 / Math.sqrt(block));
    for (int i = 0; i < block; i++) {
      for (int j = 0; j < block; j++) {
        matrix[i * block + j] = Integer.bitCount(i & j) % 2 == 0 ? one : -one;
      }
    }
    return matrix;
  }

  /** Each {@code block} neighbouring values times the matrix. */
  static float[] turned(float[] values, int block) {
    float[] result = values.clone();
    for (int step = 1; step < block; step *= 2) {
      for (int i = 0; i < result.length; i++) {
        if ((i & step) == 0) {
          float a = result[i];
          float b = result[i + step];
          result[i] = a + b;
          result[i + step] = a - b;
        }
      }
    }
    float one = (float) (1 / Math.sqrt(block));
    for (int i = 0; i < result.length; i++) {
      result[i] *= one;
    }
    return result;
  }
}
