package io.gatun.engine;

import java.time.Duration;
import java.util.Optional;

/**
 * How many rows of prompts a step may have while others decode, so that it takes no longer than
 * wanted (chunked prefill, arXiv 2308.16369): from how long earlier rows took.
 *
 * @owner the engine's thread
 */
final class StallBound {
  /** Fewer are hardly cheaper: the weights are read once for all. */
  private static final int ROWS_MIN = 8;

  /** Before anything is measured. */
  private static final int ROWS_FIRST = 64;

  private static final double NEW_SHARE = 0.3;

  private final Optional<Duration> stallMax;
  private double nanosPerRow;

  StallBound(Optional<Duration> stallMax) {
    this.stallMax = stallMax;
  }

  /** Rows of prompts beside decoding ones: a power of two, so that graphs repeat. */
  int rows(int most) {
    if (stallMax.isEmpty()) {
      return most;
    }
    double wanted = nanosPerRow == 0 ? ROWS_FIRST : stallMax.get().toNanos() / nanosPerRow;
    int rows = (int) Math.clamp(wanted, ROWS_MIN, 1 << 16);
    return Math.min(most, Integer.highestOneBit(rows));
  }

  /** A step has been computed; small ones say little about rows. */
  void measured(int rows, long nanos) {
    if (rows >= ROWS_MIN) {
      double each = (double) nanos / rows;
      nanosPerRow = nanosPerRow == 0 ? each : nanosPerRow + NEW_SHARE * (each - nanosPerRow);
    }
  }
}
