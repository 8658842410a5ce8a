package io.gatun.adapters.peft;

import java.util.Arrays;
import java.util.List;

/**
 * Trim, elect signs, merge: of each change only the largest values count, and of those only the
 * ones with the sign that has more weight in all; their mean is the merged change.
 *
 * @source arXiv 2306.01708, section 4
 */
final class Ties {
  private Ties() {}

  /**
   * Merges the changes of one matrix.
   *
   * @param changes trimmed in place
   * @param density the part of each change that is kept, above 0 and at most 1
   */
  static float[] merge(List<float[]> changes, double density) {
    changes.forEach(change -> trim(change, density));
    float[] merged = new float[changes.getFirst().length];
    for (int i = 0; i < merged.length; i++) {
      double total = 0;
      for (float[] change : changes) {
        total += change[i];
      }
      double sum = 0;
      int agreeing = 0;
      for (float[] change : changes) {
        if (change[i] != 0 && (change[i] > 0) == (total >= 0)) {
          sum += change[i];
          agreeing++;
        }
      }
      merged[i] = agreeing == 0 ? 0 : (float) (sum / agreeing);
    }
    return merged;
  }

  /** Sets all but the largest values to 0; equals of the smallest that is kept are kept too. */
  private static void trim(float[] change, double density) {
    int kept = Math.clamp(Math.round(density * change.length), 1, change.length);
    float[] sizes = new float[change.length];
    for (int i = 0; i < sizes.length; i++) {
      sizes[i] = Math.abs(change[i]);
    }
    Arrays.parallelSort(sizes);
    float least = sizes[sizes.length - kept];
    for (int i = 0; i < change.length; i++) {
      if (Math.abs(change[i]) < least) {
        change[i] = 0;
      }
    }
  }
}
