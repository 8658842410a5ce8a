package io.gatun.adapters.training;

import java.util.Arrays;

/**
 * The rows of one pass: examples one after another, which do not see each other. Row t holds a
 * token and shall predict the next one of its example.
 *
 * @param tokens [T]
 * @param labels the token to predict [T]
 * @param weights what predicting it counts, 0 or 1 [T]
 * @param positions of each row in its example [T]
 * @param examples the number of each row's example; −1 for rows that fill up [T]
 * @param soft the row of a soft prompt that takes the token's place; −1 for none [T]
 */
public record MiniBatch(
    int[] tokens, int[] labels, float[] weights, int[] positions, int[] examples, int[] soft) {

  static MiniBatch empty(int rows) {
    MiniBatch batch =
        new MiniBatch(
            new int[rows],
            new int[rows],
            new float[rows],
            new int[rows],
            new int[rows],
            new int[rows]);
    Arrays.fill(batch.examples, -1);
    Arrays.fill(batch.soft, -1);
    return batch;
  }

  public int rows() {
    return tokens.length;
  }

  /** How many predictions count. */
  public double weight() {
    double sum = 0;
    for (float w : weights) {
      sum += w;
    }
    return sum;
  }

  /**
   * Puts an example's predictions into rows from one on, behind the rows of a soft prompt.
   *
   * @param softRows how many those are
   * @return the number of the next free row
   */
  int put(int first, int number, Example example, int softRows) {
    int row = first;
    for (int i = 0; i < softRows; i++, row++) {
      soft[row] = i;
      positions[row] = i;
      examples[row] = number;
    }
    for (int i = 0; i + 1 < example.length(); i++, row++) {
      tokens[row] = example.tokens()[i];
      labels[row] = example.tokens()[i + 1];
      weights[row] = example.learned()[i + 1] ? 1 : 0;
      positions[row] = softRows + i;
      examples[row] = number;
    }
    return row;
  }
}
