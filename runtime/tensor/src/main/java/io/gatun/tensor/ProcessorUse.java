package io.gatun.tensor;

import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How much of some processors other programs use, from two readings of Linux' counters.
 * Thread-safe.
 *
 * @param busy ticks in which those processors ran something
 * @param all ticks in all
 * @param own ticks that this process ran
 */
record ProcessorUse(long busy, long all, long own, long nanos) {
  /** Counters move every 10 ms; less than this tells little. */
  private static final long WINDOW_NANOS_MIN = TimeUnit.MILLISECONDS.toNanos(60);

  /** What was before this is not now. */
  private static final long WINDOW_NANOS_MAX = TimeUnit.SECONDS.toNanos(10);

  private static @Nullable ProcessorUse before;

  /** Takes the first reading, unless there is a recent one. Costs a fraction of a millisecond. */
  static synchronized void watch(Processors processors) {
    ProcessorUse earlier = before;
    if (earlier == null || System.nanoTime() - earlier.nanos > WINDOW_NANOS_MAX) {
      before = now(processors);
    }
  }

  /**
   * Processors that others keep busy, on average since {@link #watch}; waits a little when that was
   * never or just now.
   */
  static synchronized double others(Processors processors) {
    watch(processors);
    ProcessorUse earlier = before;
    if (earlier == null) {
      return 0;
    }
    long missing = WINDOW_NANOS_MIN - (System.nanoTime() - earlier.nanos);
    if (missing > 0) {
      try {
        TimeUnit.NANOSECONDS.sleep(missing);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    ProcessorUse now = now(processors);
    before = now;
    return now == null ? 0 : now.othersSince(earlier, processors.allowed().cardinality());
  }

  double othersSince(ProcessorUse earlier, int processors) {
    long elapsed = all - earlier.all;
    long others = busy - earlier.busy - (own - earlier.own);
    return elapsed <= 0 ? 0 : Math.clamp((double) processors * others / elapsed, 0, processors);
  }

  private static @Nullable ProcessorUse now(Processors processors) {
    return read(Path.of("/proc"), processors.allowed(), System.nanoTime());
  }

  /** A reading; null where the system does not tell. */
  static @Nullable ProcessorUse read(Path proc, BitSet allowed, long nanos) {
    long busy = 0;
    long all = 0;
    try {
      for (String line : Processors.lines(proc.resolve("stat"))) {
        if (!line.startsWith("cpu")) {
          break;
        }
        // cpu3 user nice system idle iowait irq softirq steal; time stolen by other guests is busy.
        String[] fields = line.split(" +", -1);
        if (fields[0].length() > 3 && allowed.get(Integer.parseInt(fields[0].substring(3)))) {
          for (int i = 1; i <= 8; i++) {
            long ticks = Long.parseLong(fields[i]);
            all += ticks;
            busy += i == 4 || i == 5 ? 0 : ticks;
          }
        }
      }
      List<String> self = Processors.lines(proc.resolve("self/stat"));
      if (all == 0 || self.isEmpty()) {
        return null;
      }
      // After the program's name, which may have spaces: state is field 3, own times are 14 and 15.
      String line = self.getFirst();
      String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ", -1);
      return new ProcessorUse(
          busy, all, Long.parseLong(fields[11]) + Long.parseLong(fields[12]), nanos);
    } catch (NumberFormatException | IndexOutOfBoundsException unknownForm) {
      return null;
    }
  }
}
