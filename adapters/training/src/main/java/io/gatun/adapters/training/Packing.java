package io.gatun.adapters.training;

import io.gatun.tensor.CapacityException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Turns examples into mini-batches of a fixed number of rows: several short ones share a batch, so
 * that few rows are wasted. The order of an epoch depends on nothing but the seed and its number.
 */
public final class Packing {
  private final List<Example> examples;
  private final int rows;
  private final int softRows;
  private final long seed;

  /**
   * @param rows T of each batch
   * @param softRows rows of a soft prompt before each example
   * @param sequence the most tokens of one example
   * @param split whether longer examples are cut into several; else they are refused
   * @throws CapacityException when an example is too long, with its number
   * @throws IllegalArgumentException when there are none
   */
  public Packing(
      List<Example> given, int rows, int softRows, int sequence, boolean split, long seed) {
    if (given.isEmpty()) {
      throw new IllegalArgumentException("there is nothing to learn from: no examples");
    }
    if (sequence < 1 || softRows + sequence > rows) {
      throw new IllegalArgumentException(
          "a sequence of %d tokens does not fit into %d rows".formatted(softRows + sequence, rows));
    }
    this.softRows = softRows;
    this.rows = rows;
    this.seed = seed;
    this.examples = new ArrayList<>();
    for (int i = 0; i < given.size(); i++) {
      add(i, given.get(i), sequence, split);
    }
  }

  /** The batches of an epoch, counted from 0. */
  public List<MiniBatch> epoch(long number) {
    int[] order = shuffled(number);
    List<MiniBatch> batches = new ArrayList<>();
    MiniBatch batch = MiniBatch.empty(rows);
    int row = 0;
    for (int index : order) {
      Example example = examples.get(index);
      if (row + softRows + example.length() - 1 > rows) {
        batches.add(batch);
        batch = MiniBatch.empty(rows);
        row = 0;
      }
      row = batch.put(row, index, example, softRows);
    }
    batches.add(batch);
    return batches;
  }

  private void add(int number, Example example, int sequence, boolean split) {
    int most = sequence + 1; // the last token is only predicted
    if (example.length() <= most) {
      examples.add(example);
      return;
    }
    if (!split) {
      throw new CapacityException(
          "example %d has %d tokens, but sequences of at most %d are trained"
              .formatted(number + 1, example.length(), sequence));
    }
    for (int from = 0; from + 1 < example.length(); from += sequence) {
      examples.add(example.part(from, Math.min(example.length(), from + most)));
    }
  }

  /** Fisher and Yates' shuffle. */
  private int[] shuffled(long epoch) {
    SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + epoch);
    int[] order = new int[examples.size()];
    for (int i = 0; i < order.length; i++) {
      int other = random.nextInt(i + 1);
      order[i] = order[other];
      order[other] = i;
    }
    return order;
  }
}
