package io.gatun.engine;

/**
 * The rows of one step: row i computes {@code token(i)} at {@code position(i)} of its sequence.
 * Reused from step to step.
 *
 * @owner the engine's thread
 */
final class Batch {
  private final Sequence[] sequences;
  private final int[] positions;
  private final int[] outputRows;
  private int rows;
  private int outputs;

  Batch(int capacity) {
    sequences = new Sequence[capacity];
    positions = new int[capacity];
    outputRows = new int[capacity];
  }

  void clear() {
    java.util.Arrays.fill(sequences, 0, rows, null);
    rows = 0;
    outputs = 0;
  }

  int capacity() {
    return sequences.length;
  }

  int room() {
    return sequences.length - rows;
  }

  /** Adds a row for the next position of a sequence, which must have got its cell. */
  void add(Sequence sequence, int position, boolean output) {
    sequences[rows] = sequence;
    positions[rows] = position;
    if (output) {
      outputRows[outputs++] = rows;
    }
    rows++;
  }

  int rows() {
    return rows;
  }

  int outputs() {
    return outputs;
  }

  /** The row of output i. */
  int outputRow(int i) {
    return outputRows[i];
  }

  Sequence sequence(int row) {
    return sequences[row];
  }

  int position(int row) {
    return positions[row];
  }

  /** Whether every row is of one sequence. */
  boolean only(Sequence sequence) {
    for (int i = 0; i < rows; i++) {
      if (sequences[i] != sequence) {
        return false;
      }
    }
    return true;
  }

  /** Gives back the cells that this batch took, when it was not computed. */
  void rewind() {
    for (int i = rows - 1; i >= 0; i--) {
      sequences[i].cells().truncate(positions[i]);
    }
  }
}
