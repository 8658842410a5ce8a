package io.gatun.tensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * What this process may compute on.
 *
 * @param allowed hardware threads it may run on
 * @param quota how many of them it may use at once, on average; containers have a limit here
 * @param cores distinct cores behind the allowed hardware threads, slow ones of hybrid processors
 *     left out
 */
record Processors(BitSet allowed, int quota, int cores) {
  /** Slower than this share of the fastest core, a core makes the others wait at every op. */
  private static final double FAST_SHARE = 0.75;

  /** Those of this machine; only Linux tells more than their number. */
  static Processors ofMachine() {
    return read(
        Path.of("/proc"),
        Path.of("/sys/devices"),
        Math.max(1, Runtime.getRuntime().availableProcessors()));
  }

  static Processors read(Path proc, Path devices, int quota) {
    BitSet allowed = allowed(proc);
    if (allowed.isEmpty()) {
      allowed.set(0, quota);
      return new Processors(allowed, quota, quota);
    }
    Path cpus = devices.resolve("system/cpu");
    return new Processors(allowed, quota, coresOf(fast(allowed, devices), cpus));
  }

  private static BitSet allowed(Path proc) {
    String key = "Cpus_allowed_list:";
    for (String line : lines(proc.resolve("self/status"))) {
      if (line.startsWith(key)) {
        return list(line.substring(key.length()));
      }
    }
    return new BitSet();
  }

  /** Performance cores, as Intel's and ARM's hybrid processors tell them. */
  private static BitSet fast(BitSet allowed, Path devices) {
    BitSet fast = list(first(devices.resolve("cpu_core/cpus")));
    fast.and(allowed);
    if (!fast.isEmpty()) {
      return fast;
    }
    Path cpus = devices.resolve("system/cpu");
    int some = allowed.nextSetBit(0);
    if (!Files.exists(cpus.resolve("cpu" + some + "/cpu_capacity"))) {
      return allowed;
    }
    int[] capacities =
        allowed.stream().map(n -> number(cpus.resolve("cpu" + n + "/cpu_capacity"))).toArray();
    int best = 0;
    for (int capacity : capacities) {
      best = Math.max(best, capacity);
    }
    int index = 0;
    for (int n = some; n >= 0; n = allowed.nextSetBit(n + 1)) {
      if (capacities[index++] >= FAST_SHARE * best) {
        fast.set(n);
      }
    }
    return fast;
  }

  private static int coresOf(BitSet threads, Path cpus) {
    if (!first(cpus.resolve("smt/active")).equals("1")) {
      return threads.cardinality();
    }
    long cores =
        threads.stream()
            .mapToObj(n -> first(cpus.resolve("cpu" + n + "/topology/thread_siblings_list")))
            .distinct()
            .count();
    return (int) cores;
  }

  /** {@code 0-3,8} as a set; nothing where it is anything else. */
  static BitSet list(String text) {
    BitSet set = new BitSet();
    try {
      for (String range : text.strip().split(",", -1)) {
        int dash = range.indexOf('-');
        int low = Integer.parseInt(dash < 0 ? range : range.substring(0, dash));
        int high = dash < 0 ? low : Integer.parseInt(range.substring(dash + 1));
        if (low < 0 || high < low || high > 1 << 16) {
          return new BitSet();
        }
        set.set(low, high + 1);
      }
    } catch (NumberFormatException notAList) {
      return new BitSet();
    }
    return set;
  }

  private static int number(Path file) {
    try {
      return Integer.parseInt(first(file));
    } catch (NumberFormatException notThere) {
      return 0;
    }
  }

  private static String first(Path file) {
    List<String> lines = lines(file);
    return lines.isEmpty() ? "" : lines.getFirst().strip();
  }

  static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException notThere) {
      return new ArrayList<>();
    }
  }
}
