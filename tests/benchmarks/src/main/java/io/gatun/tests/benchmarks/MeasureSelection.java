package io.gatun.tests.benchmarks;

import io.gatun.tensor.Selection;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Measures choosing the best of a large vocabulary's logits: the one pass in C against sorting all
 * of them, as docs/sampling.md reports.
 */
public final class MeasureSelection {
  private static final int VOCABULARY = 151_936;
  private static final int ROUNDS = 200;

  private MeasureSelection() {}

  public static void main(String[] args) {
    SplittableRandom random = new SplittableRandom(1);
    float[] logits = new float[VOCABULARY];
    for (int i = 0; i < VOCABULARY; i++) {
      // Sums of uniform numbers: few large values, as in real logits.
      logits[i] =
          (float)
                  (random.nextDouble()
                      + random.nextDouble()
                      + random.nextDouble()
                      + random.nextDouble())
              * 5;
    }
    System.out.println("| what | µs |\n|---|---:|");
    try (Selection selection = new Selection(1024)) {
      for (int k : new int[] {1, 40, 1024}) {
        long nanos = median(() -> selection.topK(logits, k));
        System.out.printf(
            "| best %d, in C, with the copy to native memory | %d |%n", k, nanos / 1000);
      }
    }
    long full = median(() -> fullSort(logits));
    System.out.printf("| full sort of primitive keys in Java | %d |%n", full / 1000);
  }

  private static int fullSort(float[] logits) {
    long[] keys = new long[logits.length];
    for (int i = 0; i < logits.length; i++) {
      int bits = Float.floatToRawIntBits(logits[i]);
      keys[i] = ((long) ~(bits ^ ((bits >> 31) & 0x7fffffff)) << 32) | i;
    }
    Arrays.sort(keys);
    return (int) keys[0];
  }

  private static long median(Runnable work) {
    long[] nanos = new long[ROUNDS];
    for (int round = -ROUNDS; round < ROUNDS; round++) {
      long start = System.nanoTime();
      work.run();
      if (round >= 0) {
        nanos[round] = System.nanoTime() - start;
      }
    }
    Arrays.sort(nanos);
    return nanos[ROUNDS / 2];
  }
}
